import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishedFrom } from '../../../webhook/authority/published-object.ts'
import { Publisher } from '../../../webhook/authority/publisher.ts'
import {
  ClusterError,
  type NewObject,
  type ObjectReference,
} from '../../../webhook/kubernetes/cluster.ts'
import { readObjects } from '../../support/manifests.ts'
import { MemoryCluster } from '../../support/memory-cluster.ts'
import { memoryLog } from '../../support/memory-log.ts'
import {
  apiService,
  bundleIn,
  Clock,
  CUSTOM_METRICS,
  change,
  WEBHOOKS,
  webhookConfiguration,
} from './replicas.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

function publisher(objects: readonly NewObject[] = [webhookConfiguration(), apiService()]) {
  const cluster = new MemoryCluster(objects)
  const clock = new Clock()
  const { log, lines } = memoryLog()
  const created = new Publisher({
    ...{ cluster, log, now: clock.now },
    namespace: 'flux-metrics',
  })
  /** Observes and publishes as the authority does. @returns since when the bundle has been published, and the errors */
  const look = async (bundle: string) => {
    const observation = await created.observe()
    const since = created.publishedSince(bundle, observation)
    const failures = await created.publish(bundle, observation)
    return { since, failures: [...observation.failures, ...failures] }
  }
  const patches = () => cluster.calls.filter(({ verb }) => verb === 'patch').length
  return { cluster, clock, lines, look, patches }
}

/** Writes as users of kubectl do: another manager then owns the field. */
function overwrite(cluster: MemoryCluster, reference: ObjectReference, edited: NewObject): void {
  change(cluster, reference, ({ metadata }) => {
    const fieldsV1 = { 'f:spec': { 'f:caBundle': {} } }
    const managedFields = [
      { manager: 'flux-metrics-webhook', time: '2030-01-03T00:00:00Z', fieldsV1 },
      { manager: 'kubectl-create', time: '2030-01-04T00:00:00Z', fieldsV1: { 'f:spec': {} } },
      { manager: 'somebody', time: new Date('2030-01-01T00:00:00Z'), fieldsV1 },
      { manager: 'kubectl-edit', time: new Date('2030-01-02T00:00:00Z'), fieldsV1 },
      { manager: 'no-fields' },
    ]
    return { ...edited, metadata: Object.assign({}, metadata, { managedFields }) }
  })
}

test('Publisher sets the bundle in the objects that are labelled', async () => {
  const { cluster, look } = publisher()
  assert.deepEqual(await look('one'), { since: undefined, failures: [] })
  assert.equal(bundleIn(cluster, WEBHOOKS), 'one')
  assert.equal(bundleIn(cluster, CUSTOM_METRICS), 'one')
})

test('Publisher changes nothing else', async () => {
  const { cluster, look } = publisher()
  await look('one')
  const { webhooks } = cluster.peek(WEBHOOKS) ?? {}
  const expected = webhookConfiguration({ caBundle: base64('one') })
  assert.deepEqual(webhooks, expected.webhooks)
  assert.deepEqual(cluster.peek(CUSTOM_METRICS)?.spec, apiService({ caBundle: base64('one') }).spec)
})

test('Publisher sets the bundle of every webhook in the configuration', async () => {
  const { webhooks, ...rest } = webhookConfiguration()
  const [first] = Array.isArray(webhooks) ? webhooks : []
  const { cluster, look } = publisher([
    { ...rest, webhooks: [first, { ...first, name: 'second.flux-metrics.example' }] },
  ])
  await look('one')
  const clientConfig = { ...first.clientConfig, caBundle: base64('one') }
  assert.deepEqual(cluster.peek(WEBHOOKS)?.webhooks, [
    { ...first, clientConfig },
    { ...first, name: 'second.flux-metrics.example', clientConfig },
  ])
})

test('Publisher reads by name, and writes only what differs', async () => {
  const { cluster, look, patches } = publisher()
  await look('one')
  assert.equal(patches(), 2)
  cluster.calls.length = 0
  await look('one')
  assert.deepEqual(
    cluster.calls,
    publishedFrom('flux-metrics').map((reference) => ({ verb: 'get', ...reference })),
  )
})

const notOurs: readonly { readonly what: string; readonly object: NewObject }[] = [
  { what: 'without the label', object: apiService({}, {}) },
  { what: 'labelled otherwise', object: apiService({}, { 'flux-metrics/ca-bundle': 'false' }) },
  { what: 'of the API server itself', object: apiService({ service: undefined }) },
  { what: 'without webhooks', object: { ...webhookConfiguration(), webhooks: [] } },
  { what: 'of another shape', object: { ...webhookConfiguration(), webhooks: 'none' } },
]

for (const { what, object } of notOurs) {
  test(`Publisher does not change an object that is ${what}`, async () => {
    const { clock, look, patches } = publisher([object])
    assert.deepEqual(await look('one'), { since: clock.ms, failures: [] })
    assert.equal(patches(), 0)
  })
}

test('Publisher works without any object', async () => {
  const { clock, look } = publisher([])
  assert.deepEqual(await look('one'), { since: clock.ms, failures: [] })
})

const CONFIG_MAP = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'flux-metrics-ca-bundle',
  namespace: 'flux-metrics',
} as const

test('Publisher keeps the bundle in the ConfigMap of its namespace, beside other keys', async () => {
  const [manifest = assert.fail()] = readObjects('base/ca-bundle.yaml')
  const theirs = { ...manifest, data: { theirs: 'yes' } }
  const { cluster, look, lines } = publisher([theirs])
  await look('one')
  await look('two')
  const expected = { theirs: 'yes', 'ca.crt': 'two' }
  assert.deepEqual(cluster.peek(CONFIG_MAP)?.data, expected)
  const fieldsV1 = { 'f:data': { 'f:ca.crt': {} } }
  const managedFields = [{ manager: 'kubectl-edit', time: '2030-01-02T00:00:00Z', fieldsV1 }]
  const metadata = Object.assign({}, manifest.metadata, { managedFields })
  cluster.put({ ...theirs, metadata, data: { 'ca.crt': 'another' } })
  await look('two')
  assert.deepEqual(cluster.peek(CONFIG_MAP)?.data, { 'ca.crt': 'two' })
  const { msg: said, writtenBy } = lines.at(-1) ?? {}
  assert.deepEqual(
    [said, writtenBy],
    ['restored the CA bundle: another writer had overwritten it', 'kubectl-edit'],
  )
})

test('the manifest of the ConfigMap has no data: applying it again does not empty it', () => {
  const [{ metadata, data } = assert.fail()] = readObjects('base/ca-bundle.yaml')
  const { name, namespace } = CONFIG_MAP
  assert.deepEqual([metadata.name, metadata.namespace, data], [name, namespace, undefined])
})

test('Publisher turns verification on, because a bundle is not allowed without it', async () => {
  const { cluster, look } = publisher([apiService({ insecureSkipTLSVerify: true })])
  await look('one')
  assert.deepEqual(
    cluster.peek(CUSTOM_METRICS)?.spec,
    apiService({ insecureSkipTLSVerify: false, caBundle: base64('one') }).spec,
  )
})

test('Publisher knows since when all objects have held the bundle', async () => {
  const { clock, look } = publisher()
  const begin = clock.ms
  const seen = async (bundle: string) => {
    clock.ms += 5_000
    const { since } = await look(bundle)
    return since === undefined ? undefined : since - begin
  }
  assert.deepEqual(await seen('one'), undefined)
  assert.deepEqual(await seen('one'), 10_000)
  assert.deepEqual(await seen('one'), 10_000)
  assert.deepEqual(await seen('two'), undefined)
  assert.deepEqual(await seen('two'), 25_000)
})

test('Publisher starts the time again after an object was overwritten', async () => {
  const { cluster, clock, look } = publisher()
  await look('one')
  await look('one')
  overwrite(cluster, CUSTOM_METRICS, apiService({ caBundle: base64('theirs') }))
  clock.ms += 5_000
  assert.equal((await look('one')).since, undefined)
  clock.ms += 5_000
  assert.equal((await look('one')).since, clock.ms)
})

test('Publisher stops the time when it cannot read an object', async () => {
  const { cluster, look } = publisher()
  await look('one')
  cluster.failAt(2)
  const { since, failures } = await look('one')
  assert.equal(since, undefined)
  assert.deepEqual(failures, [
    new ClusterError(0, 'Cannot reach the API server: connection refused'),
  ])
})

test('Publisher sets the bundle where it can, and returns the errors', async () => {
  const { cluster, look } = publisher()
  // The configuration of webhooks is the first of the four that are read.
  cluster.failAt(1)
  const { failures } = await look('one')
  assert.equal(failures.length, 1)
  assert.equal(bundleIn(cluster, WEBHOOKS), '')
  assert.equal(bundleIn(cluster, CUSTOM_METRICS), 'one')
})

test('Publisher restores an overwritten bundle, and logs the other writer', async () => {
  const { cluster, look, lines } = publisher()
  await look('one')
  await look('one')
  overwrite(cluster, CUSTOM_METRICS, apiService({ caBundle: base64('theirs') }))
  lines.length = 0
  await look('one')
  assert.equal(bundleIn(cluster, CUSTOM_METRICS), 'one')
  await look('one')
  const { kind, name } = CUSTOM_METRICS
  assert.deepEqual(lines, [
    {
      level: 'warn',
      kind,
      name,
      writtenBy: 'kubectl-edit',
      msg: 'restored the CA bundle: another writer had overwritten it',
    },
  ])
})

test('Publisher restores a bundle that was removed', async () => {
  const { cluster, look, lines } = publisher()
  await look('one')
  cluster.put(webhookConfiguration())
  lines.length = 0
  await look('one')
  assert.equal(bundleIn(cluster, WEBHOOKS), 'one')
  const { kind, name } = WEBHOOKS
  assert.deepEqual(lines, [
    { level: 'warn', kind, name, msg: 'restored the CA bundle: another writer had overwritten it' },
  ])
})

test('Publisher does not log a new bundle as a restored one', async () => {
  const { look, lines } = publisher([apiService()])
  await look('one')
  await look('two')
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['published the CA bundle', 'published the CA bundle'],
  )
})

test('Publisher finds an object that is created later, deleted and created again', async () => {
  const { cluster, look, lines } = publisher([])
  await look('one')
  cluster.put(apiService())
  await look('one')
  cluster.remove(CUSTOM_METRICS)
  assert.deepEqual((await look('one')).failures, [])
  cluster.put(apiService())
  await look('one')
  assert.equal(bundleIn(cluster, CUSTOM_METRICS), 'one')
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['published the CA bundle', 'published the CA bundle'],
  )
})

test('Publisher ignores an object that is deleted before it is written', async () => {
  const cluster = new MemoryCluster([apiService()])
  const { log, lines } = memoryLog()
  const created = new Publisher({
    ...{ cluster, log, now: Date.now },
    namespace: 'flux-metrics',
  })
  const observation = await created.observe()
  cluster.remove(CUSTOM_METRICS)
  assert.deepEqual(await created.publish('one', observation), [])
  assert.deepEqual([cluster.peek(CUSTOM_METRICS), lines], [undefined, []])
})
