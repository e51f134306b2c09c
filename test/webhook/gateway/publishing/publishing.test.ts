import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import {
  CUSTOM,
  EXTERNAL,
  referenceOf,
} from '../../../../webhook/gateway/publishing/api-service.ts'
import {
  Publishing,
  type PublishingOptions,
} from '../../../../webhook/gateway/publishing/publishing.ts'
import { ClusterError, type NewObject } from '../../../../webhook/kubernetes/cluster.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { memoryLog } from '../../../support/memory-log.ts'
import {
  ADAPTER_PLACE,
  BUNDLE,
  EXTERNAL_API,
  endpoints,
  GATEWAY_PLACE,
  leadingTo,
  OLDER,
  ours,
  ROLE,
  withKeda,
} from './api-services.ts'

const ADAPTER = { ...ADAPTER_PLACE, service: ADAPTER_PLACE.name }

const POD = 'flux-metrics-gateway-76f54d9c8-2kxq9'

const NAMES = [...CUSTOM, ...EXTERNAL].map(referenceOf)

function publishing(
  objects: readonly NewObject[] = [ROLE, endpoints(true)],
  options: Partial<PublishingOptions> = {},
) {
  const cluster = new MemoryCluster(objects)
  const { log, lines } = memoryLog('info')
  const registry = new Registry()
  const created = new Publishing({
    cluster,
    canServe: () => true,
    caBundle: () => BUNDLE,
    ...{ namespace: GATEWAY_PLACE.namespace, service: GATEWAY_PLACE.name },
    upstreams: { custom: undefined, external: undefined },
    adapterObstacle: () => undefined,
    external: false,
    ...{ pod: POD, registry, log },
    ...options,
  })
  const writes = () =>
    cluster.calls.filter(({ verb, kind }) => verb !== 'get' && verb !== 'list' && kind !== 'Event')
  return {
    ...{ cluster, registry, writes },
    tick: () => created.tick(),
    messages: () => lines.map(({ msg }) => msg),
    lines,
    specs: () => NAMES.map((name) => cluster.peek(name)?.spec),
    events: () => cluster.calls.filter(({ kind }) => kind === 'Event').length,
  }
}

/** The state of each APIService, as the gauge has it. */
async function statesOf(registry: Registry): Promise<Readonly<Record<string, unknown>>> {
  const text = await registry.metrics()
  const on = text.matchAll(/^flux_gateway_api_services\{name="(\S+)",state="(\w+)"\} 1$/gm)
  return Object.fromEntries([...on].map(([, name, state]) => [name, state]))
}

test('Publishing creates the APIServices, once', async () => {
  const { tick, specs, writes, messages, registry } = publishing()
  assert.equal(await tick(), true)
  assert.deepEqual(specs(), [...CUSTOM.map((one) => ours(one).spec), undefined])
  assert.equal(await tick(), true)
  assert.equal(writes().length, 2)
  assert.deepEqual(messages(), ['published an APIService', 'published an APIService'])
  assert.deepEqual(await statesOf(registry), {
    'v1beta1.custom.metrics.k8s.io': 'published',
    'v1beta2.custom.metrics.k8s.io': 'published',
    'v1beta1.external.metrics.k8s.io': 'off',
  })
})

test('Publishing creates the one of external metrics where they are served', async () => {
  const { tick, specs } = publishing(undefined, { external: true })
  assert.equal(await tick(), true)
  assert.deepEqual(specs()[2], ours(EXTERNAL_API).spec)
})

test('Publishing removes the one of external metrics where they are not served any more', async () => {
  const { tick, writes, messages, specs } = publishing([
    ...[ROLE, endpoints(true)],
    ...[...CUSTOM, ...EXTERNAL].map(ours),
  ])
  assert.equal(await tick(), true)
  assert.deepEqual(
    writes().map(({ verb, name }) => [verb, name]),
    [['delete', 'v1beta1.external.metrics.k8s.io']],
  )
  assert.equal(specs()[2], undefined)
  assert.deepEqual(messages(), ['removed an APIService that is not served any more'])
})

for (const [what, options] of [
  ['this replica cannot serve', { canServe: () => false }],
  ['it has no certificate', { caBundle: () => undefined }],
] as const) {
  test(`Publishing makes no call while ${what}`, async () => {
    const { tick, cluster } = publishing(undefined, options)
    assert.equal(await tick(), false)
    assert.deepEqual(cluster.calls, [])
  })
}

for (const slices of [[], [endpoints()], [endpoints(false)]]) {
  test(`Publishing waits until API servers find a ready replica: ${JSON.stringify(slices[0]?.endpoints)}`, async () => {
    const { tick, cluster, writes, messages, registry } = publishing([ROLE, ...slices])
    assert.equal(await tick(), false)
    assert.equal(await tick(), false)
    assert.deepEqual(writes(), [])
    const waits = 'waits before it publishes an APIService'
    assert.deepEqual(messages(), [waits, waits])
    const { 'v1beta2.custom.metrics.k8s.io': state } = await statesOf(registry)
    assert.equal(state, 'waiting')
    cluster.put(endpoints(false, true))
    assert.equal(await tick(), true)
    assert.equal(writes().length, 2)
  })
}

test('Publishing takes no part of a group of which another adapter creates the other at the same time', async () => {
  const { tick, cluster, writes, specs } = publishing()
  const create = cluster.create.bind(cluster)
  cluster.create = async (object) => {
    // The oldest version is the one that every adapter has.
    if (object.metadata.name === referenceOf(OLDER).name) cluster.put(FOREIGN)
    return create(object)
  }
  assert.equal(await tick(), false)
  assert.equal(await tick(), true)
  assert.deepEqual(specs(), [undefined, FOREIGN.spec, undefined])
  assert.deepEqual(
    writes().map(({ name }) => name),
    ['v1beta1.custom.metrics.k8s.io'],
  )
})

test('Publishing publishes nothing without the role with which it is deleted', async () => {
  const { tick, writes, lines } = publishing([endpoints(true)])
  assert.equal(await tick(), false)
  assert.deepEqual(writes(), [])
  assert.match(JSON.stringify(lines), /Cannot find ClusterRole .*flux-metrics-gateway/)
})

const FOREIGN = leadingTo(ADAPTER_PLACE, OLDER)

test('Publishing leaves the group of another adapter alone, and says so once', async () => {
  const { tick, writes, lines, registry, events, cluster } = publishing([
    ...[ROLE, endpoints(true), FOREIGN],
  ])
  assert.equal(await tick(), true)
  await tick()
  assert.deepEqual(writes(), [])
  assert.deepEqual(
    lines.map(({ level, name, because, state }) => ({ level, name, because, state })),
    ['v1beta1.custom.metrics.k8s.io', 'v1beta2.custom.metrics.k8s.io'].map((name) => {
      return { level: 'warn', name, because: 'v1beta1.custom.metrics.k8s.io', state: 'left' }
    }),
  )
  assert.deepEqual(await statesOf(registry), {
    'v1beta1.custom.metrics.k8s.io': 'left',
    'v1beta2.custom.metrics.k8s.io': 'left',
    'v1beta1.external.metrics.k8s.io': 'off',
  })
  assert.equal(events(), 1)
  const [event] = (
    await cluster.list({ apiVersion: 'v1', kind: 'Event', namespace: 'default' }, { limit: 10 })
  ).items
  assert.deepEqual(event?.involvedObject, {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    name: 'v1beta1.custom.metrics.k8s.io',
    uid: cluster.peek(referenceOf(OLDER))?.metadata?.uid,
  })
  assert.match(String(event?.message), /monitoring\/prometheus-adapter:443.*flux-metrics adopt/)
})

test('Publishing releases an APIService over which another adapter was installed, and leaves it alone then', async () => {
  const { tick, writes, lines, registry, events, cluster } = publishing(
    [ROLE, endpoints(true), ...CUSTOM.map(ours), withKeda()],
    { external: true },
  )
  for (const _ of [1, 2, 3]) assert.equal(await tick(), true)
  assert.deepEqual(
    writes().map(({ verb, name }) => [verb, name]),
    [['update', 'v1beta1.external.metrics.k8s.io']],
  )
  assert.deepEqual(cluster.peek(referenceOf(EXTERNAL_API))?.spec, withKeda().spec)
  assert.deepEqual(
    lines.map(({ level, msg }) => [level, msg]),
    [
      ['info', 'released an APIService: another adapter has been installed over it'],
      ['warn', 'leaves an APIService, and all of its group, alone'],
    ],
  )
  assert.equal((await statesOf(registry))['v1beta1.external.metrics.k8s.io'], 'left')
  assert.equal(events(), 1)
})

test('Publishing publishes as soon as the other adapter is gone', async () => {
  const { tick, cluster, specs } = publishing([ROLE, endpoints(true), FOREIGN])
  await tick()
  cluster.remove(referenceOf(OLDER))
  await tick()
  assert.deepEqual(
    specs().slice(0, 2),
    CUSTOM.map((one) => ours(one).spec),
  )
})

test('Publishing takes over from the upstream adapter in one write, and says from whom', async () => {
  const upstreams = { custom: ADAPTER, external: undefined }
  const { tick, cluster, writes, lines, events } = publishing([ROLE, endpoints(true), FOREIGN], {
    upstreams,
  })
  const before = cluster.peek(referenceOf(OLDER))?.metadata?.uid
  assert.equal(await tick(), true)
  assert.deepEqual(
    writes().map(({ verb, name }) => [verb, name]),
    [
      ['update', 'v1beta1.custom.metrics.k8s.io'],
      ['create', 'v1beta2.custom.metrics.k8s.io'],
    ],
  )
  const taken = cluster.peek(referenceOf(OLDER))
  assert.deepEqual([taken?.metadata?.uid, taken?.spec], [before, ours(OLDER).spec])
  assert.deepEqual(lines[0]?.from, ADAPTER_PLACE)
  assert.equal(events(), 1)
})

/** Replicas of these pods, all ready. */
function replicas(...pods: readonly string[]): NewObject {
  const { metadata, ...rest } = endpoints(true)
  const conditions = { ready: true }
  return {
    ...rest,
    metadata,
    endpoints: pods.map((name) => ({ conditions, targetRef: { kind: 'Pod', name } })),
  }
}

test('Publishing takes over from the adapter when API servers find no replica of an older rollout', async () => {
  const older = 'flux-metrics-gateway-5d8f7c6b4-9lmnp'
  const other = 'flux-metrics-gateway-76f54d9c8-zzzzz'
  const upstreams = { custom: ADAPTER, external: undefined }
  const { tick, cluster, writes, lines, registry } = publishing(
    [ROLE, replicas(POD, older), FOREIGN],
    { upstreams },
  )
  assert.equal(await tick(), false)
  assert.deepEqual(writes(), [])
  assert.equal(lines.at(-1)?.why, `a replica of another rollout is served still: ${older}`)
  const { 'v1beta1.custom.metrics.k8s.io': state } = await statesOf(registry)
  assert.equal(state, 'waiting')
  cluster.put(replicas(POD, other))
  assert.equal(await tick(), true)
  assert.equal(writes().length, 2)
})

test('Publishing takes over from the adapter when the adapter can be asked', async () => {
  let obstacle: string | undefined = 'nothing listens there'
  const { tick, cluster, writes, lines } = publishing([ROLE, endpoints(true), FOREIGN], {
    upstreams: { custom: ADAPTER, external: undefined },
    adapterObstacle: (group) => (group === 'custom.metrics.k8s.io' ? obstacle : undefined),
  })
  assert.equal(await tick(), false)
  assert.deepEqual(writes(), [])
  const why = 'the adapter that has it now cannot be asked: nothing listens there'
  assert.equal(lines.at(-1)?.why, why)
  obstacle = undefined
  assert.equal(await tick(), true)
  assert.equal(writes().length, 2)
  // What leads to the gateway already is kept right, whatever the adapter does.
  obstacle = 'nothing listens there'
  cluster.remove(referenceOf(OLDER))
  assert.equal(await tick(), true)
})

test('Publishing repairs what another writer changed, and leaves the bundle to the webhook', async () => {
  const { tick, cluster, specs, messages } = publishing()
  await tick()
  const spec = { caBundle: 'bmV3ZXI=', versionPriority: 1 }
  const { metadata = {} } = cluster.peek(referenceOf(OLDER)) ?? {}
  const { labels = {} } = metadata
  cluster.put(leadingTo(GATEWAY_PLACE, OLDER, { labels, spec }))
  await tick()
  assert.deepEqual(specs()[1], { ...Object(ours(OLDER).spec), caBundle: 'bmV3ZXI=' })
  assert.equal(messages().at(-1), 'repaired an APIService: another writer had changed it')
})

test('two replicas that publish at one time do no harm', async () => {
  const one = publishing()
  const { log } = memoryLog('silent')
  const other = new Publishing({
    cluster: one.cluster,
    canServe: () => true,
    caBundle: () => BUNDLE,
    ...{ namespace: GATEWAY_PLACE.namespace, service: GATEWAY_PLACE.name },
    upstreams: { custom: undefined, external: undefined },
    adapterObstacle: () => undefined,
    external: true,
    ...{ pod: POD, registry: new Registry(), log },
  })
  await Promise.all([one.tick(), other.tick()])
  await Promise.all([one.tick(), other.tick()])
  assert.deepEqual(
    one.specs().slice(0, 2),
    CUSTOM.map((version) => ours(version).spec),
  )
})

test('an Event that cannot be written stops nothing', async () => {
  const upstreams = { custom: ADAPTER, external: undefined }
  const { tick, cluster, specs, messages } = publishing([ROLE, endpoints(true), FOREIGN], {
    upstreams,
  })
  const { create } = cluster
  cluster.create = async (object) => {
    if (object.kind === 'Event') throw new ClusterError(403, 'The API server answered 403: no')
    return create.call(cluster, object)
  }
  assert.equal(await tick(), true)
  assert.deepEqual(specs()[1], ours(OLDER).spec)
  assert.ok(messages().includes('cannot write an Event about an APIService: trying again'))
})

test('Publishing says once that the API server is away, and goes on afterwards', async () => {
  const { tick, cluster, messages, writes } = publishing()
  cluster.failWith(new ClusterError(0, 'Cannot reach the API server: connection refused'))
  assert.deepEqual([await tick(), await tick()], [false, false])
  cluster.failWith(undefined)
  assert.equal(await tick(), true)
  assert.equal(writes().length, 2)
  assert.deepEqual(
    messages().filter((msg) => /cannot|can /.test(String(msg))),
    ['cannot publish the APIServices: trying again', 'can publish the APIServices again'],
  )
})
