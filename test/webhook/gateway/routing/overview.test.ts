// The list of MiniClusters: a row of each, whatever its sidecar answers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '#explaining/explanation.ts'
import { unavailable } from '#serving/status.ts'
import { MAX_SUBJECTS } from '../../../../webhook/gateway/routing/destination.ts'
import { MAX_ROWS } from '../../../../webhook/gateway/routing/overview.ts'
import { snapshotOf } from '../../../support/snapshots.ts'
import { until } from '../../../support/until.ts'
import { waitingFor, wholeNodes } from '../../../support/waiting.ts'
import { serveRoutes } from './served.ts'

const V2 = '/apis/custom.metrics.k8s.io/v1beta2'
const MINICLUSTERS = 'miniclusters.flux-framework.org'
const IN_A = `${V2}/namespaces/a/${MINICLUSTERS}/*/explain`
const EVERYWHERE = `${V2}/${MINICLUSTERS}/*/explain`

const SNAPSHOT = snapshotOf({ waiting: waitingFor(wholeNodes(5)) })
const EXPLANATION = explain(SNAPSHOT, SNAPSHOT.takenAt)

async function explained() {
  return { contentType: 'application/json', body: JSON.stringify(EXPLANATION) } as const
}

const ROW = {
  desired: 12,
  present: 10,
  floor: 7,
  problem: EXPLANATION.warnings[0],
  problemCode: 'jobs-early',
  pending: 1,
  problems: EXPLANATION.warnings.length + EXPLANATION.unknowns.length,
}

test('each MiniCluster of a namespace has a row from its own explanation', async (t) => {
  const miniclusters = ['a/two', 'a/one', 'b/three']
  const { get, questions } = await serveRoutes(t, { miniclusters, answer: explained })
  const { code, text, headers } = await get(IN_A)
  assert.deepEqual([code, headers.get('content-type')], [200, 'application/json'])
  const row = { ...ROW, namespace: 'a', summary: EXPLANATION.summary.slice(0, 200) }
  const [one, two] = JSON.parse(text).miniclusters
  assert.deepEqual(
    [
      { ...one, summary: one.summary.slice(0, 200) },
      { ...two, summary: two.summary.slice(0, 200) },
    ],
    [
      { ...row, minicluster: 'one' },
      { ...row, minicluster: 'two' },
    ],
  )
  assert.equal(JSON.parse(text).more, 0)
  assert.deepEqual(questions.map(({ path, accept }) => `${path} ${accept}`).sort(), [
    `${V2}/namespaces/a/${MINICLUSTERS}/one/explain application/json`,
    `${V2}/namespaces/a/${MINICLUSTERS}/two/explain application/json`,
  ])
})

test('those of the whole cluster are on a path without a namespace, which RBAC grants for all', async (t) => {
  const { get } = await serveRoutes(t, { miniclusters: ['b/one', 'a/two'], answer: explained })
  const { text } = await get(EVERYWHERE)
  const names = JSON.parse(text).miniclusters.map(
    ({ namespace, minicluster }: { namespace: string; minicluster: string }) =>
      `${namespace}/${minicluster}`,
  )
  assert.deepEqual(names, ['a/two', 'b/one'])
  assert.equal((await get(EVERYWHERE.replace('*', '%2A'))).code, 200)
  assert.equal((await get(EVERYWHERE.replace('*', 'one'))).code, 404)
})

test('who does not answer has a row with the reason, and no number', async (t) => {
  const { get } = await serveRoutes(t, {
    miniclusters: ['a/one', 'a/two'],
    answer: async ({ minicluster }) => {
      if (minicluster === 'one') return explained()
      throw unavailable('its pod does not answer')
    },
  })
  const { code, text } = await get(IN_A)
  assert.equal(code, 200)
  const [one, two] = JSON.parse(text).miniclusters
  assert.equal(one.desired, 12)
  assert.deepEqual(two, { namespace: 'a', minicluster: 'two', reason: 'its pod does not answer' })
})

test('texts of a sidecar come out with what nobody sees as escapes', async (t) => {
  const hidden = 'a\u202eb'
  const body = JSON.stringify({ ...EXPLANATION, summary: hidden })
  const answer = async () => ({ contentType: 'application/json', body }) as const
  const { get } = await serveRoutes(t, { miniclusters: ['a/one'], answer })
  const list = await get(IN_A)
  assert.equal(JSON.parse(list.text).miniclusters[0].summary, 'a\\u{202e}b')
  const one = await get(IN_A.replace('*', 'one'))
  assert.match(one.text, /"summary":"a\\u202eb"/)
  assert.equal(JSON.parse(one.text).summary, hidden)
})

for (const [what, body] of [
  ['no JSON', '<html>'],
  ['no explanation', '{"desired":"12"}'],
  ['too long', JSON.stringify({ ...EXPLANATION, more: 'x'.repeat(70_000) })],
  ['too many values', JSON.stringify({ ...EXPLANATION, more: Array(6_000).fill(1) })],
] as const) {
  test(`an answer that is ${what} makes a row without numbers`, async (t) => {
    const answer = async () => ({ contentType: 'application/json', body }) as const
    const { get } = await serveRoutes(t, { miniclusters: ['a/one'], answer })
    assert.deepEqual(JSON.parse((await get(IN_A)).text).miniclusters, [
      {
        namespace: 'a',
        minicluster: 'one',
        reason: 'its sidecar did not answer an explanation',
      },
    ])
  })
}

for (const [what, notices] of [
  ['of an older release', undefined],
  ['that writes other codes than words', [{ code: 'No Code', text: EXPLANATION.warnings[0] }]],
  ['that writes no list', 'jobs-early'],
] as const) {
  test(`a sidecar ${what} has its row, without a code`, async (t) => {
    const body = JSON.stringify({ ...EXPLANATION, notices })
    const answer = async () => ({ contentType: 'application/json', body }) as const
    const { get } = await serveRoutes(t, { miniclusters: ['a/one'], answer })
    const [row] = JSON.parse((await get(IN_A)).text).miniclusters
    assert.deepEqual([row.problem, row.problemCode, row.desired], [ROW.problem, null, 12])
  })
}

test('long texts are cut, and MiniClusters beyond the most rows are counted', async (t) => {
  const all = MAX_SUBJECTS + 3
  const miniclusters = Array.from({ length: all }, (_, index) => `a/c${1_000 + index}`)
  const long = { ...EXPLANATION, warnings: ['w'.repeat(5_000)] }
  const answer = async () =>
    ({ contentType: 'application/json', body: JSON.stringify(long) }) as const
  const { get, questions } = await serveRoutes(t, { miniclusters, answer })
  const { miniclusters: rows, more } = JSON.parse((await get(IN_A)).text)
  assert.deepEqual([rows.length, more, questions.length], [MAX_ROWS, all - MAX_ROWS, MAX_ROWS])
  assert.equal(rows[0].problem.length, 201)
})

test('what askers at once are given is read once', async (t) => {
  const open = Promise.withResolvers<void>()
  const answer = explained()
  const parse = t.mock.method(JSON, 'parse')
  const { get, questions } = await serveRoutes(t, {
    miniclusters: ['a/one'],
    answer: () => open.promise.then(() => answer),
  })
  const lists = Array.from({ length: 5 }, () => get(IN_A))
  await until(() => questions.length === 5, 'the questions')
  open.resolve()
  const texts = (await Promise.all(lists)).map(({ text }) => text)
  assert.equal(new Set(texts).size, 1)
  const { body } = await answer
  assert.equal(parse.mock.calls.filter(({ arguments: [text] }) => text === body).length, 1)
})

test('a namespace without MiniClusters has an empty list', async (t) => {
  const { get } = await serveRoutes(t, { miniclusters: [] })
  assert.deepEqual(JSON.parse((await get(IN_A)).text), { miniclusters: [], more: 0 })
})

test('sidecars that are slow keep no more than 64 turns from others, whoever asks for the list', async (t) => {
  const miniclusters = Array.from({ length: 100 }, (_, index) => `n${index}/one`)
  const { promise, resolve } = Promise.withResolvers<void>()
  const { get, questions } = await serveRoutes(t, {
    miniclusters,
    answer: async () => {
      await promise
      return explained()
    },
  })
  const lists = [get(EVERYWHERE), get(EVERYWHERE)]
  await until(() => questions.length >= 64, 'the questions')
  await new Promise(setImmediate)
  assert.equal(questions.length, 64)
  resolve()
  for (const { text } of await Promise.all(lists)) {
    const rows: readonly object[] = JSON.parse(text).miniclusters
    assert.equal(rows.filter((row) => 'present' in row).length, 100)
  }
})
