// The watch of MiniClusters against an API server over real HTTPS.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { EnabledMiniClusters } from '../../../../webhook/gateway/peers/enabled-miniclusters.ts'
import { connectCluster } from '../../../../webhook/kubernetes/api-server.ts'
import type { ClusterObject } from '../../../../webhook/kubernetes/cluster.ts'
import { miniCluster } from '../../../support/lead-broker.ts'
import { memoryLog } from '../../../support/memory-log.ts'
import { until } from '../../../support/until.ts'
import { watchedApiServer } from '../../../support/watched-api-server.ts'

async function start(t: TestContext, now: () => number = () => performance.now()) {
  const api = await watchedApiServer(t)
  const { log, lines } = memoryLog()
  const cluster = connectCluster(api.kubeconfig, 'flux-metrics-test')
  const enabled = new EnabledMiniClusters({
    ...{ cluster, log, now },
    pace: { pauseCapMs: 20, shortMs: 5 },
  })
  t.after(() => enabled.close())
  const names = () => [...enabled.inNamespace('hpc')].sort()
  return { api, enabled, lines, names }
}

function named(name: string, changes: Partial<ClusterObject> = {}): ClusterObject {
  return { ...miniCluster({ name }), ...changes }
}

function annotated(name: string, value: string): ClusterObject {
  return miniCluster({ name, annotations: { 'flux-metrics/enabled': value } })
}

test('those count that ask for metrics by their own annotation or that of their pods, and have not ended', async (t) => {
  const { api, enabled, names } = await start(t)
  const asking = { 'flux-metrics/enabled': 'true' }
  const spec = (value: string) => ({ pod: { annotations: { 'flux-metrics/enabled': value } } })
  const conditions = (status: string) => ({ conditions: [{ type: 'JobFinished', status }] })
  api.put(named('own'))
  api.put(annotated('refused', 'false'))
  api.put(annotated('misspelt', 'yes'))
  api.put({ ...annotated('by-pod', 'false'), spec: spec('true') })
  api.put(named('not-by-pod', { spec: spec('false') }))
  api.put(named('runs', { status: conditions('False') }))
  api.put(named('finished', { status: conditions('True') }))
  const deletionTimestamp = '2026-11-30T06:00:00Z'
  api.put(miniCluster({ name: 'going', annotations: asking, deletionTimestamp }))
  api.put(miniCluster({ name: 'elsewhere', namespace: 'other' }))
  await enabled.start()
  assert.deepEqual(names(), ['by-pod', 'own', 'runs'])
  assert.deepEqual(enabled.inNamespace('other'), ['elsewhere'])
  const [asked] = api.asked
  assert.equal(asked?.pathname, '/apis/flux-framework.org/v1alpha2/miniclusters')
  api.put(annotated('own', 'false'))
  api.put(annotated('refused', 'true'))
  api.remove(named('runs'))
  await until(() => names().join() === 'by-pod,refused', 'the changes')
})

test('before the first list, and after three minutes without a word, not all are known', async (t) => {
  let now = 1_000
  const { api, enabled, names } = await start(t, () => now)
  const what =
    'StatusError: Cannot list the MiniClusters of namespace "hpc": not all that ask for metrics are known'
  const refusal = () => {
    try {
      return names().join()
    } catch (error) {
      return String(error)
    }
  }
  await api.down()
  assert.equal(refusal(), `${what}: the API server has not answered yet`)
  await enabled.start()
  assert.match(refusal(), /metrics are known: Cannot reach the API server/)
  api.put(named('own'))
  await api.up()
  await until(() => refusal() === 'own' && api.watches().length === 1, 'a list')
  now += 180_001
  const silent = 'for 3 minutes the API server has told of no new ones: it is silent'
  assert.equal(refusal(), `${what}: ${silent}`)
  api.bookmark()
  await until(() => refusal() === 'own', 'a bookmark')
})

test('without the kind there are none', async (t) => {
  const { api, enabled, lines, names } = await start(t)
  api.answer = (_url, response) => {
    response.writeHead(404).end('404 page not found')
    return true
  }
  await enabled.start()
  assert.deepEqual([names(), lines], [[], []])
})

test('of a namespace with too many, none is answered as if it were all', async (t) => {
  const { api, enabled, names } = await start(t)
  for (let index = 0; index < 2_001; index += 1) api.put(named(`m${index}`))
  api.put(miniCluster({ name: 'elsewhere', namespace: 'other' }))
  await enabled.start()
  assert.throws(names, /^StatusError: .* they are more than the gateway keeps/)
  assert.deepEqual(enabled.inNamespace('other'), ['elsewhere'])
})
