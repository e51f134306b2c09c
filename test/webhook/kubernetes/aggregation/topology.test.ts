import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reach, type Topology } from '../../../../webhook/kubernetes/aggregation/reach.ts'
import { TopologyWatch } from '../../../../webhook/kubernetes/aggregation/topology.ts'
import { ClusterError, type NewObject } from '../../../../webhook/kubernetes/cluster.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { memoryLog } from '../../../support/memory-log.ts'

function apiService(
  service: object | undefined,
  labels: Readonly<Record<string, string>> = {},
): NewObject {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: 'v1beta2.custom.metrics.k8s.io', labels },
    spec: service === undefined ? {} : { service },
  }
}

function service(selector: Readonly<Record<string, string>> | undefined): NewObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'custom-metrics-apiserver', namespace: 'hpc' },
    spec: selector === undefined ? {} : { selector },
  }
}

const OURS = apiService({ namespace: 'hpc', name: 'custom-metrics-apiserver', port: 443 })
const BY_NAME = { 'api-server': 'custom-metrics', 'flux-metrics/minicluster': 'lammps' }

async function topologyOf(objects: readonly NewObject[]): Promise<Topology | undefined> {
  const watch = new TopologyWatch({
    cluster: new MemoryCluster(objects),
    log: memoryLog('silent').log,
  })
  assert.equal(await watch.tick(), true)
  return watch.current
}

const PLACE = { namespace: 'hpc', service: 'custom-metrics-apiserver', isForeign: false }

const GATEWAY = {
  namespace: 'flux-metrics',
  service: 'flux-metrics-gateway',
  minicluster: undefined,
  isRead: false,
  isForeign: false,
}

const TOPOLOGIES: readonly (readonly [string, readonly NewObject[], Topology | undefined])[] = [
  ['no APIService', [], undefined],
  ['an APIService of the API server itself', [apiService(undefined)], undefined],
  ['no Service', [OURS], { ...PLACE, minicluster: undefined, isRead: false }],
  ['a name', [OURS, service(BY_NAME)], { ...PLACE, minicluster: 'lammps', isRead: true }],
  [
    'no name',
    [OURS, service({ 'api-server': 'custom-metrics' })],
    { ...PLACE, minicluster: undefined, isRead: true },
  ],
  ['no selector', [OURS, service(undefined)], { ...PLACE, minicluster: undefined, isRead: true }],
  [
    'another adapter',
    [apiService({ namespace: 'monitoring', name: 'prometheus-adapter' })],
    {
      namespace: 'monitoring',
      service: 'prometheus-adapter',
      minicluster: undefined,
      isRead: false,
      isForeign: true,
    },
  ],
  [
    'a Service of another name, by an APIService of this project',
    [apiService({ namespace: 'hpc', name: 'metrics' }, { 'flux-metrics/ca-bundle': 'false' })],
    {
      namespace: 'hpc',
      service: 'metrics',
      minicluster: undefined,
      isRead: false,
      isForeign: false,
    },
  ],
  ['a gateway', [apiService({ namespace: 'flux-metrics', name: 'flux-metrics-gateway' })], GATEWAY],
]

for (const [what, objects, expected] of TOPOLOGIES) {
  test(`a TopologyWatch reads: ${what}`, async () => {
    assert.deepEqual(await topologyOf(objects), expected)
  })
}

test('a TopologyWatch keeps what it knows while the API server is away', async () => {
  const cluster = new MemoryCluster([OURS, service(BY_NAME)])
  const { log, lines } = memoryLog('info')
  const watch = new TopologyWatch({ cluster, log })
  await watch.tick()
  cluster.failWith(new ClusterError(0, 'no'))
  assert.equal(await watch.tick(), false)
  assert.equal(watch.current?.minicluster, 'lammps')
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['cannot read the custom metrics API: trying again'],
  )
})

const LAMMPS = { namespace: 'hpc', name: 'lammps' }

const REACHED: readonly (readonly [string, Topology | undefined])[] = [
  ['nothing is known', undefined],
  ['the Service selects it by name', { ...PLACE, minicluster: 'lammps', isRead: true }],
  ['the selector is not known', { ...PLACE, minicluster: undefined, isRead: false }],
  ['a gateway serves all', GATEWAY],
]

for (const [what, topology] of REACHED) {
  test(`reach says nothing where ${what}`, () => {
    assert.deepEqual(reach(topology, LAMMPS), { kind: 'reached' })
  })
}

test('reach says how to have both where another adapter has the API', () => {
  for (const namespace of ['hpc', 'monitoring']) {
    const place = { namespace, service: 'prometheus-adapter', isForeign: true }
    assert.deepEqual(reach({ ...place, minicluster: undefined, isRead: false }, LAMMPS), {
      kind: 'unreached',
      why:
        `No HPA can read its metrics: the custom metrics API leads to Service ${namespace}/prometheus-adapter, ` +
        'which is another adapter; to have both, the administrator runs: flux-metrics adopt',
    })
  }
})

test('reach names the namespace that the API leads to', () => {
  const topology = { ...PLACE, minicluster: 'lammps', isRead: true }
  assert.deepEqual(reach(topology, { ...LAMMPS, namespace: 'default' }), {
    kind: 'unreached',
    why:
      'No HPA can read its metrics: the custom metrics API leads to Service hpc/custom-metrics-apiserver, ' +
      'which selects no pods of namespace default',
  })
})

test('reach names the MiniCluster that the API leads to', () => {
  const topology = { ...PLACE, minicluster: 'other', isRead: true }
  assert.deepEqual(reach(topology, LAMMPS), {
    kind: 'unreached',
    why:
      'No HPA can read its metrics: the custom metrics API leads to Service hpc/custom-metrics-apiserver, ' +
      'which selects MiniCluster other only',
  })
})

test('reach warns of a Service that selects every MiniCluster', () => {
  const topology = { ...PLACE, minicluster: undefined, isRead: true }
  assert.deepEqual(reach(topology, LAMMPS), {
    kind: 'shared',
    why:
      'Add flux-metrics/minicluster=lammps to the selector of Service hpc/custom-metrics-apiserver: ' +
      'it selects every MiniCluster, and an HPA obeys whichever answers',
  })
})
