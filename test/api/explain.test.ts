import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '#explaining/explanation.ts'
import { explainPendingJobs } from '#explaining/jobs/pending-jobs.ts'
import { LastHour } from '#explaining/last-hour.ts'
import { formatExplanation } from '#explaining/text.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import { fresh, STALE, serveApp } from '../support/app.ts'
import { snapshotOf } from '../support/snapshots.ts'
import { waitingFor, wholeNodes } from '../support/waiting.ts'

const NOW = new Date('2026-11-24T01:02:05.456Z')

const GROUP = '/apis/custom.metrics.k8s.io'
const MINICLUSTER = 'namespaces/default/miniclusters.flux-framework.org/flux-sample'

const PATHS = [
  '/explain',
  `${GROUP}/v1beta2/${MINICLUSTER}/explain`,
  `${GROUP}/v1beta1/${MINICLUSTER}/explain`,
  `${GROUP}/v1beta2/namespaces/default/services/custom-metrics-apiserver/explain`,
]

for (const path of PATHS) {
  test(`${path} explains in JSON, or in text if the client asks for text`, async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: NOW })
    const app = await serveApp(t)
    const expected = explain(snapshotOf(), NOW)
    assert.equal(expected.ageSeconds, 2)
    const json = await app.get(path)
    assert.deepEqual([json.code, json.headers['content-type']], [200, 'application/json'])
    assert.deepEqual(JSON.parse(json.text), expected)
    const text = await app.get(path, { accept: 'text/plain' })
    assert.deepEqual([text.code, text.headers['content-type']], [200, 'text/plain; charset=utf-8'])
    assert.equal(text.text, formatExplanation(expected))
  })
}

test('/explain answers kubectl, which accepts any type, in JSON, unless the parameter asks for text', async (t) => {
  const app = await serveApp(t)
  const kubectl = { accept: 'application/json, */*' }
  const type = async (target: string) =>
    (await app.get(target, kubectl)).headers['content-type']?.split(';')[0]
  assert.equal(await type('/explain'), 'application/json')
  assert.equal(await type('/explain?format=json'), 'application/json')
  assert.equal(await type('/explain?format=text'), 'text/plain')
})

test('/explain has escapes for what nobody sees, in JSON and in text', async (t) => {
  const drains = [{ ranks: parseIdset('2'), reason: 'a\u202eb', drainedAt: 0 }]
  const app = await serveApp(t)
  app.reading = fresh({ drains })
  const json = await app.get('/explain')
  assert.match(json.text, /"reason":"a\\u202eb"/)
  assert.equal(JSON.parse(json.text).drains[0].reason, 'a\u202eb')
  const text = await app.get('/explain', { accept: 'text/plain' })
  assert.match(text.text, /a\\u\{202e\}b/)
})

test('/explain refuses an unknown format', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get('/explain?format=yaml')
  assert.equal(code, 400)
  assert.equal(JSON.parse(text).message, 'Cannot answer with format "yaml": expected json or text')
})

test('/explain has more details if they are asked for, all of one snapshot', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW })
  const lastHour = new LastHour(NOW.getTime())
  const job = wholeNodes(3)
  const app = await serveApp(t, { lastHour })
  app.reading = fresh({ waiting: waitingFor(job) })
  const keys = async (query: string) =>
    Object.keys(JSON.parse((await app.get(`/explain${query}`)).text))
  const plain = await keys('')
  const added = async (query: string) => (await keys(query)).filter((key) => !plain.includes(key))
  assert.deepEqual(await added('?include='), [])
  assert.deepEqual(await added('?include=jobs'), ['jobs'])
  assert.deepEqual(await added('?include=ranks'), ['ranks', 'running'])
  assert.deepEqual(await added('?include=history,jobs'), ['jobs', 'history'])
  assert.deepEqual(await added('?include=metrics'), ['metrics'])
  const { jobs, history } = JSON.parse((await app.get('/explain?include=jobs,history')).text)
  assert.deepEqual(jobs, explainPendingJobs(snapshotOf({ waiting: waitingFor(job) }), NOW))
  assert.deepEqual(history, lastHour.explain(NOW.getTime()))
  const { text } = await app.get('/explain?include=jobs&format=text')
  assert.match(text, /^job {6}ƒ2 fits on ranks 7-9/m)
})

test('/explain refuses an unknown detail', async (t) => {
  const app = await serveApp(t)
  const { code, text } = await app.get('/explain?include=jobs,secrets')
  assert.equal(code, 400)
  const expected =
    'Cannot include "secrets": expected jobs, ranks, history or metrics, or several with commas'
  assert.equal(JSON.parse(text).message, expected)
})

test('/explain computes the age anew after a second', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const app = await serveApp(t)
  const age = async () => JSON.parse((await app.get('/explain')).text).ageSeconds
  assert.equal(await age(), 2)
  t.mock.timers.tick(5000)
  now = 5000
  assert.equal(await age(), 7)
})

for (const path of PATHS) {
  test(`${path} gives the reason if there is nothing to explain`, async (t) => {
    const app = await serveApp(t)
    app.reading = STALE
    const { code, text } = await app.get(path, { accept: 'text/plain' })
    assert.equal(code, 503)
    assert.equal(
      JSON.parse(text).message,
      'Cannot read the state of Flux: the broker closed the connection (last read at 2026-11-24T01:02:03Z)',
    )
  })
}

for (const [path, problem] of [
  [
    `${MINICLUSTER.replace('default', 'other')}/explain`,
    /^Cannot find metrics of MiniCluster "flux-sample" in/,
  ],
  [`${MINICLUSTER}x/explain`, /^Cannot find metrics of MiniCluster "flux-samplex" in/],
  ['namespaces/default/pods/flux-sample/explain', /^Cannot find metrics of resource "pods"/],
  [
    'namespaces/default/metrics/explain',
    /^the server could not find the metric explain for namespaces default/,
  ],
] as const) {
  test(`${path} is not found, with the reason`, async (t) => {
    const app = await serveApp(t)
    const { code, text } = await app.get(`${GROUP}/v1beta2/${path}`)
    assert.equal(code, 404)
    assert.match(JSON.parse(text).message, problem)
  })
}

test('/explain is for verified clients, as metrics are', async (t) => {
  const app = await serveApp(t, {
    clients: { verify: () => ({ kind: 'refused', reason: 'it sent no certificate' }) },
  })
  for (const path of PATHS) assert.equal((await app.get(path)).code, 401)
  assert.equal((await app.get('/livez')).code, 200)
})

test('explain is no metric: discovery does not list it', async (t) => {
  const app = await serveApp(t)
  const { text } = await app.get(`${GROUP}/v1beta2`)
  assert.ok(text.includes('/node_up_count"'))
  assert.ok(!text.includes('/explain"'))
})

test('/explain works out the same question once a second for each snapshot', async (t) => {
  let asked = 0
  const lastHour = new LastHour(Date.now())
  const counting = {
    explain: () => {
      asked += 1
      return lastHour.explain()
    },
  }
  const app = await serveApp(t, { lastHour: counting })
  const ages = t.mock.method(performance, 'now', () => 0)
  const get = (path = '/explain?include=history') => app.get(path)
  await get()
  await get()
  assert.equal(asked, 1)
  await get('/explain?include=history&format=text')
  assert.equal(asked, 2)
  ages.mock.mockImplementation(() => 1_001)
  await get()
  assert.equal(asked, 3)
  app.reading = fresh({ waiting: waitingFor(wholeNodes(3)) })
  await get()
  assert.equal(asked, 4)
})
