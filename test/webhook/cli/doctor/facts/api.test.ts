import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Api, attempt, UnreadError } from '../../../../../webhook/cli/doctor/facts/api.ts'
import type { Answer } from '../../../../../webhook/cli/input/cluster/answer.ts'

function failing(reason: string): Api {
  return new Api(async () => ({ kind: 'failure', reason }))
}

test('an object is read, is absent, or is not known, and only once', async () => {
  let asked = 0
  const api = new Api(async (): Promise<Answer> => {
    asked += 1
    return { kind: 'text', text: '{"kind":"Pod"}' }
  })
  const both = await Promise.all([api.object('/a', 'a'), api.object('/a', 'a')])
  assert.deepEqual(both[0], { kind: 'read', value: { kind: 'Pod' } })
  assert.deepEqual([both[1], asked], [both[0], 1])
})

for (const [reason, expected] of [
  ['Error from server (NotFound): gone', { kind: 'absent', why: 'gone' }],
  [
    'Error from server (Forbidden): not you',
    { kind: 'unread', what: 'it', why: 'not you', isForbidden: true },
  ],
  [
    'Error from server (ServiceUnavailable): the words\nof the server',
    { kind: 'unread', what: 'it', why: 'the words\nof the server', isForbidden: false },
  ],
  ['no route', { kind: 'unread', what: 'it', why: 'no route', isForbidden: false }],
] as const) {
  test(`kubectl's "${reason.slice(0, 40)}" is ${expected.kind}`, async () => {
    assert.deepEqual(await failing(reason).object('/a', 'it'), expected)
  })
}

test('an answer that is no JSON is not known', async () => {
  const api = new Api(async () => ({ kind: 'text', text: '<html>' }))
  const { kind } = await api.object('/a', 'it')
  assert.equal(kind, 'unread')
})

test('code of the gateway reads through it: absent is undefined, and what is not known is thrown', async () => {
  const reference = { apiVersion: 'v1', kind: 'Pod', namespace: 'a', name: 'b' }
  const absent = failing('Error from server (NotFound): gone').asCluster()
  assert.equal(await absent.read(reference), undefined)
  const refused = failing('Error from server (Forbidden): not you').asCluster()
  await assert.rejects(refused.read(reference), UnreadError)
  const list = { apiVersion: 'v1', kind: 'Pod', namespace: 'a' }
  const reading = await attempt('pods', () => refused.list(list, { limit: 1 }))
  assert.ok(reading.kind === 'unread' && reading.isForbidden)
})
