// Compares the RBAC rules of manifests/gateway with the calls of the gateway: one rule allows each call, and no rule allows more.
// What else the gateway may ask an adapter is in components/upstream.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { Registry } from 'prom-client'
import { GATEWAY } from '../../../webhook/contract.ts'
import { Absences } from '../../../webhook/gateway/peers/absences.ts'
import { EnabledMiniClusters } from '../../../webhook/gateway/peers/enabled-miniclusters.ts'
import { PodWatch } from '../../../webhook/gateway/peers/pod-watch.ts'
import {
  API_SERVICE,
  CUSTOM,
  EXTERNAL,
  referenceOf,
} from '../../../webhook/gateway/publishing/api-service.ts'
import { Publishing } from '../../../webhook/gateway/publishing/publishing.ts'
import { lookAt } from '../../../webhook/gateway/shortage/look.ts'
import { ShortageGauges } from '../../../webhook/gateway/shortage/shortage-gauges.ts'
import { Shortages } from '../../../webhook/gateway/shortage/shortages.ts'
import type { Collection } from '../../../webhook/kubernetes/cluster.ts'
import type { Watched } from '../../../webhook/kubernetes/connection/watch.ts'
import { miniCluster } from '../../support/lead-broker.ts'
import { readObjects } from '../../support/manifests.ts'
import { type Call, MemoryCluster } from '../../support/memory-cluster.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { bindingsOf, excesses, grantsIn, strays } from '../../support/rbac.ts'
import { ADAPTER_PLACE, endpoints, leadingTo, OLDER, ROLE } from './publishing/api-services.ts'
import { JOB, unscheduled } from './shortage/pods.ts'

const RULES = readObjects('gateway/rbac.yaml')
const { log } = memoryLog('silent')

/** Users' MiniClusters; Kubernetes keeps Events about APIServices in "default". */
const USERS = [
  { namespace: 'hpc', name: 'lammps' },
  { namespace: 'default', name: 'flux-sample' },
]

/** The calls to find the sidecars, and to say why there is none. */
async function findSidecars(t: TestContext): Promise<readonly Call[]> {
  const cluster = new MemoryCluster(USERS.map((user) => miniCluster({ ...user, uid: user.name })))
  const watching = new EventTarget()
  async function* watch({ apiVersion, kind }: Collection): AsyncGenerator<Watched> {
    cluster.calls.push({ verb: 'watch', apiVersion, kind, name: '' })
    watching.dispatchEvent(new Event(kind))
    yield* [] as Watched[]
  }
  const list = cluster.list.bind(cluster)
  const api = {
    list: async (...args: Parameters<typeof list>) => ({
      ...(await list(...args)),
      resourceVersion: '1',
    }),
    watch,
  }
  const enabled = new EnabledMiniClusters({ cluster: api, log })
  const peers = new PodWatch({ cluster: api, enabled, log })
  for (const [kind, watcher] of [
    ['MiniCluster', enabled],
    ['Pod', peers],
  ] as const) {
    t.after(() => watcher.close())
    const watched = once(watching, kind)
    await watcher.start()
    await watched
  }
  const absences = new Absences(cluster)
  for (const { namespace, name } of USERS) {
    await absences.whyAbsent({ namespace, minicluster: name }, performance.now() + 1_000)
  }
  return cluster.calls
}

/** The calls to say which pods of a MiniCluster are not there, and why. */
async function lookAtPods(): Promise<readonly Call[]> {
  const calls: Call[] = []
  for (const { namespace, name } of USERS) {
    const pod = unscheduled(0)
    const metadata = { ...pod.metadata, namespace, labels: { 'job-name': name } }
    const user = miniCluster({ namespace, name, uid: name })
    const cluster = new MemoryCluster([
      { ...user, spec: { size: 2 } },
      { ...pod, metadata },
    ])
    await lookAt(cluster, { namespace, minicluster: name, job: JOB })
    const registry = new Registry()
    const shortages = new Shortages(cluster, { jobsOf: () => [JOB] })
    new ShortageGauges({ cluster, peers: { all: () => [] }, shortages }).register(registry)
    await registry.metrics()
    calls.push(...cluster.calls)
  }
  return calls
}

/** The calls to publish, to repair and to remove, beside another adapter too. */
async function publish(): Promise<readonly Call[]> {
  const versions = [...CUSTOM, ...EXTERNAL]
  const cluster = new MemoryCluster([ROLE, endpoints(true)])
  const publishing = (external: boolean) =>
    new Publishing({
      cluster,
      canServe: () => true,
      caBundle: () => 'bundle',
      ...{ namespace: 'flux-metrics', service: GATEWAY, external, log },
      upstreams: { custom: undefined, external: undefined },
      adapterObstacle: () => undefined,
      ...{ pod: 'flux-metrics-gateway-76f54-2kxq9', registry: new Registry() },
    })
  await publishing(true).tick()
  for (const version of versions) {
    const { metadata = {}, ...rest } = cluster.peek(referenceOf(version)) ?? {}
    cluster.put({ ...rest, ...API_SERVICE, metadata: { ...metadata, labels: {} } })
  }
  await publishing(true).tick()
  await publishing(false).tick()
  cluster.put(leadingTo(ADAPTER_PLACE, OLDER))
  await publishing(true).tick()
  return [...cluster.calls, ...versions.map(ownerCheck)]
}

/** Some API servers (OwnerReferencesPermissionEnforcement) want this right of who sets an owner. */
function ownerCheck(version: (typeof CUSTOM)[number]): Call {
  return { verb: 'delete', ...referenceOf(version) }
}

test('every call of the gateway is allowed by one rule, and every rule is needed for a call', async (t) => {
  const calls = [...(await findSidecars(t)), ...(await lookAtPods()), ...(await publish())]
  const grants = grantsIn(RULES)
  const namespaces = USERS.map(({ namespace }) => namespace)
  assert.deepEqual(strays(calls, grants), [])
  assert.deepEqual(excesses(calls, grants, namespaces), [])
})

test('all grants are for the service account of the gateway only', () => {
  const account = { kind: 'ServiceAccount', name: GATEWAY, namespace: 'flux-metrics' }
  for (const { subjects } of bindingsOf(RULES)) assert.deepEqual(subjects, [account])
})
