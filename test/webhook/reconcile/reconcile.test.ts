// The reconcile over an API server in memory: who is told what, how often, and what is counted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { LookUps } from '../../../webhook/admission/look-ups/look-ups.ts'
import type { EventText } from '../../../webhook/events/event.ts'
import { EventRecorder } from '../../../webhook/events/event-recorder.ts'
import type { Topology } from '../../../webhook/kubernetes/aggregation/reach.ts'
import { AnswerTooLong, ClusterError, type NewObject } from '../../../webhook/kubernetes/cluster.ts'
import type { Pod } from '../../../webhook/objects/pod.ts'
import { Reconcile } from '../../../webhook/reconcile/reconcile.ts'
import { memoryLog } from '../../support/memory-log.ts'
import { EventCluster, SIDECAR } from '../support-admission.ts'
import {
  BROKER,
  ENABLED,
  JOB_OWNER,
  job,
  leadPod,
  MINICLUSTER_OWNER,
  miniCluster,
} from '../support-objects.ts'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000

interface Changes {
  readonly metadata?: Readonly<Record<string, unknown>>
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly spec?: Partial<Pod['spec']>
  readonly phase?: string
}

/** A lead broker as the API server stores it: created 2 minutes ago, without sidecar. */
function lead({ metadata, labels, annotations, spec = {}, phase = 'Running' }: Changes = {}) {
  const pod = leadPod({ spec })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    ...pod,
    metadata: {
      namespace: 'default',
      name: 'flux-sample-0-x7k2p',
      uid: 'uid-of-pod',
      ownerReferences: [JOB_OWNER],
      labels: { app: 'flux-operator', ...pod.metadata.labels, ...labels },
      annotations: { ...pod.metadata.annotations, ...annotations },
      creationTimestamp: new Date(Date.now() - 2 * MINUTE_MS).toISOString(),
      ...metadata,
    },
    status: { phase },
  } satisfies NewObject
}

function setup(
  objects: readonly NewObject[],
  topology?: Topology,
  record?: (text: EventText) => boolean,
) {
  const cluster = new EventCluster(objects)
  const leadership = { isLeader: true }
  const clock = { ms: 0 }
  const { log, lines } = memoryLog()
  const registry = new Registry()
  const reconcile = new Reconcile({
    cluster,
    leadership,
    lookUps: new LookUps({ cluster, readVersion: async () => ({ major: 1, minor: 36 }) }),
    events:
      record === undefined
        ? new EventRecorder({ cluster, log })
        : { record: (_minicluster, text) => record(text) },
    sidecar: () => SIDECAR,
    topology: () => topology,
    namespace: 'flux-metrics',
    registry,
    log,
    now: () => clock.ms,
  })
  return {
    cluster,
    leadership,
    lines,
    registry,
    /** Moves the clock, and makes a pass if one is due. */
    after: async (ms: number) => {
      await reconcile.tick()
      clock.ms += ms
      await reconcile.tick()
      await new Promise(setImmediate)
    },
    told: () =>
      cluster.events.map((event) => ({
        about: event.involvedObject,
        type: event.type,
        reason: event.reason,
        message: event.message,
      })),
    missing: async () => {
      const text = await registry.getSingleMetricAsString('flux_metrics_webhook_missing_sidecars')
      return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    },
  }
}

const { apiVersion, kind, name, uid } = MINICLUSTER_OWNER
const ABOUT = { apiVersion, kind, name, namespace: 'default', uid }

const CREATED_BEFORE =
  'Pod flux-sample-0-x7k2p has no metrics sidecar: it was created before flux-metrics/enabled was set, or while the ' +
  'webhook did not answer. To add it, delete the pod, which ends the jobs of the MiniCluster: ' +
  'kubectl delete pod -n default flux-sample-0-x7k2p'

test('half a minute after its replica leads, a MiniCluster is told that its sidecar is missing, why, and what to do', async () => {
  const { after, told, missing, lines } = setup([miniCluster(), job(), lead()])
  await after(29_000)
  assert.deepEqual([told(), await missing()], [[], []])
  await after(1_000)
  const event = { about: ABOUT, type: 'Warning', reason: 'MetricsMissing' }
  assert.deepEqual(told(), [{ ...event, message: CREATED_BEFORE }])
  assert.deepEqual(await missing(), [
    'flux_metrics_webhook_missing_sidecars{reason="CreatedBefore"} 1',
  ])
  assert.deepEqual(lines, [
    {
      level: 'warn',
      namespace: 'default',
      pod: 'flux-sample-0-x7k2p',
      minicluster: 'flux-sample',
      reason: 'CreatedBefore',
      why: CREATED_BEFORE,
      msg: 'a lead broker lacks its sidecar',
    },
  ])
})

test('an Event that is dropped is written by the next pass, and then not again for an hour', async () => {
  const tried: string[] = []
  const { after, missing } = setup([miniCluster(), job(), lead()], undefined, ({ reason }) => {
    tried.push(reason)
    return tried.length > 1
  })
  await after(30_000)
  assert.deepEqual(tried, ['MetricsMissing'])
  assert.equal((await missing()).length, 1)
  await after(3 * MINUTE_MS)
  await after(3 * MINUTE_MS)
  assert.deepEqual(tried, ['MetricsMissing', 'MetricsMissing'])
})

/** A quota that has counted the lead broker, which requests 1 CPU. */
function quota(hard: string, used: string) {
  const status = { hard: { 'requests.cpu': hard }, used: { 'requests.cpu': used } }
  const metadata = { name: 'small', namespace: 'default' }
  return { apiVersion: 'v1', kind: 'ResourceQuota', metadata, status } satisfies NewObject
}

const CPU_1 = [{ ...BROKER, resources: { requests: { cpu: '1' } } }]

test('a quota without room beside the pod is told: to delete the pod would end its jobs for nothing', async () => {
  const pod = lead({ spec: { containers: CPU_1 } })
  const { after, told } = setup([miniCluster(), job(), pod, quota('4', '4')])
  await after(30_000)
  assert.match(
    String(told()[0]?.message),
    /would get none now: LimitsDoNotFit: The sidecar needs a cpu request of at least 1m, and ResourceQuota "small" leaves it none/,
  )
})

test('a quota whose room the pod itself takes is no obstacle to the next pod', async () => {
  const pod = lead({ spec: { containers: CPU_1 } })
  const { after, told } = setup([miniCluster(), job(), pod, quota('2', '1')])
  await after(30_000)
  assert.equal(told()[0]?.message, CREATED_BEFORE)
})

test('an obstacle that an admission would meet is told with its cure', async () => {
  const containers = [{ ...BROKER, ports: [{ containerPort: 8443 }] }]
  const { after, told, missing } = setup([miniCluster(), job(), lead({ spec: { containers } })])
  await after(30_000)
  const [event] = told()
  assert.match(
    String(event?.message),
    /^Pod flux-sample-0-x7k2p has no metrics sidecar, and would get none now: PortTaken: .*port 8443.* Then delete the pod, .*: kubectl delete pod -n default flux-sample-0-x7k2p$/,
  )
  assert.deepEqual(await missing(), ['flux_metrics_webhook_missing_sidecars{reason="PortTaken"} 1'])
})

test('it is said and logged again after an hour, and counted at each pass', async () => {
  const { after, told, missing, lines, cluster } = setup([miniCluster(), job(), lead()])
  await after(30_000)
  for (let pass = 0; pass < 19; pass += 1) await after(3 * MINUTE_MS)
  const { length: reads } = cluster.calls.filter(
    ({ verb, kind }) => `${verb} ${kind}` === 'get Pod',
  )
  assert.deepEqual([told().length, lines.length, reads, (await missing()).length], [1, 1, 1, 1])
  await after(3 * MINUTE_MS)
  // Within ten minutes of real time an equal Event is counted up.
  const events = cluster.calls.filter(({ kind }) => kind === 'Event').map(({ verb }) => verb)
  assert.deepEqual([events, lines.length], [['create', 'update'], 2])
})

test('a MiniCluster whose pod is made again without sidecar is not told within the hour, but with another reason', async () => {
  const { after, told, cluster } = setup([miniCluster(), job(), lead()])
  await after(30_000)
  cluster.put(lead({ metadata: { uid: 'uid-of-next-pod' } }))
  await after(3 * MINUTE_MS)
  assert.equal(told().length, 1)
  const containers = [{ ...BROKER, ports: [{ containerPort: 8443 }] }]
  cluster.put(lead({ metadata: { uid: 'uid-of-third-pod' }, spec: { containers } }))
  await after(3 * MINUTE_MS)
  assert.equal(told().length, 2)
})

test('a pod that gets its sidecar is no longer counted', async () => {
  const { after, missing, cluster } = setup([miniCluster(), job(), lead()])
  await after(30_000)
  cluster.put(lead({ annotations: { 'flux-metrics/injected': '1.2.3' } }))
  await after(3 * MINUTE_MS)
  assert.deepEqual(await missing(), [])
})

test("the pod's own annotation asks for metrics too", async () => {
  const objects = [miniCluster({ annotations: {} }), job(), lead({ annotations: ENABLED })]
  const { after, told } = setup(objects)
  await after(30_000)
  assert.equal(told().length, 1)
})

const SILENT: Readonly<Record<string, readonly NewObject[]>> = {
  'with its sidecar': [
    miniCluster(),
    job(),
    lead({ annotations: { 'flux-metrics/injected': '1' } }),
  ],
  'of the future': [
    miniCluster(),
    job(),
    lead({ metadata: { creationTimestamp: '2999-01-01T00:00:00Z' } }),
  ],
  'that has ended': [miniCluster(), job(), lead({ phase: 'Failed' })],
  'that ends': [
    miniCluster(),
    job(),
    lead({ metadata: { deletionTimestamp: '2026-11-24T01:02:03Z' } }),
  ],
  'of a MiniCluster that ends': [
    {
      ...miniCluster(),
      metadata: { ...miniCluster().metadata, deletionTimestamp: '2026-11-24T01:02:03Z' },
    },
    job(),
    lead({ annotations: ENABLED }),
  ],
  'that says no where its MiniCluster says yes': [
    miniCluster(),
    job(),
    lead({ annotations: { 'flux-metrics/enabled': 'false' } }),
  ],
  'of a MiniCluster that does not ask for metrics': [
    miniCluster({ annotations: {} }),
    job(),
    lead(),
  ],
  'of another index': [
    miniCluster(),
    job(),
    lead({
      labels: { 'batch.kubernetes.io/job-completion-index': '1' },
      annotations: { 'batch.kubernetes.io/job-completion-index': '1' },
    }),
  ],
  'that is none of the operator': [miniCluster(), job(), lead({ labels: { app: 'nginx' } })],
  'of a Job that was created again': [
    miniCluster(),
    job(),
    lead({ metadata: { ownerReferences: [{ ...JOB_OWNER, uid: 'uid-of-former-job' }] } }),
  ],
  'of a Job that does not exist': [miniCluster(), lead()],
  'of a MiniCluster that was created again': [
    { ...miniCluster(), metadata: { ...miniCluster().metadata, uid: 'uid-of-next' } },
    job(),
    lead(),
  ],
  'in kube-system': [
    ...[miniCluster(), job()].map((object) => ({
      ...object,
      metadata: { ...object.metadata, namespace: 'kube-system' },
    })),
    lead({ metadata: { namespace: 'kube-system' } }),
  ],
}

for (const [what, objects] of Object.entries(SILENT)) {
  test(`nothing is said about a pod ${what}`, async () => {
    const { after, told, missing } = setup(objects)
    await after(30_000)
    assert.deepEqual([told(), await missing()], [[], []])
  })
}

test('nothing is said about a pod that was created a moment ago', async () => {
  const creationTimestamp = new Date().toISOString()
  const { after, told, missing } = setup([
    miniCluster(),
    job(),
    lead({ metadata: { creationTimestamp } }),
  ])
  await after(30_000)
  assert.deepEqual([told(), await missing()], [[], []])
})

test('a replica that does not lead makes no call and has no numbers', async () => {
  const { after, cluster, leadership, registry } = setup([miniCluster(), job(), lead()])
  await after(30_000)
  leadership.isLeader = false
  const { length } = cluster.calls
  await after(HOUR_MS)
  assert.equal(cluster.calls.length, length)
  const metrics = await registry.metrics()
  assert.match(metrics, /^flux_metrics_webhook_leader 0$/m)
  assert.doesNotMatch(metrics, /^flux_metrics_webhook_(missing|reconcile).* \d/m)
})

test('a leader shows that it leads, and when it looked last', async () => {
  const { after, registry } = setup([])
  await after(30_000)
  const metrics = await registry.metrics()
  assert.match(metrics, /^flux_metrics_webhook_leader 1$/m)
  const [, seconds] =
    /^flux_metrics_webhook_reconcile_timestamp_seconds (\d+)$/m.exec(metrics) ?? []
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 60)
})

test('while the API server is away the numbers stay, one line is logged, and it goes on afterwards', async () => {
  const { after, told, missing, lines, cluster } = setup([miniCluster(), job(), lead()])
  cluster.failWith(new ClusterError(0, 'Cannot reach the API server: connect ECONNREFUSED'))
  await after(30_000)
  await after(3 * MINUTE_MS)
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['cannot look through the lead brokers: trying again'],
  )
  cluster.failWith(undefined)
  await after(3 * MINUTE_MS)
  assert.deepEqual([told().length, (await missing()).length], [1, 1])
})

test('nobody is told any more once the Lease is lost in the middle of a pass', async () => {
  const { after, told, cluster, leadership } = setup([miniCluster(), job(), lead()])
  const { list } = cluster
  cluster.list = async (...of) => {
    leadership.isLeader = false
    return list.apply(cluster, of)
  }
  await after(30_000)
  assert.deepEqual(told(), [])
})

test('a pod that is deleted in the middle of a pass is not told about', async () => {
  const { after, told, cluster } = setup([miniCluster(), job(), lead()])
  const { list } = cluster
  cluster.list = async (...of) => {
    const page = await list.apply(cluster, of)
    cluster.put(lead({ metadata: { deletionTimestamp: '2026-11-24T01:02:03Z' } }))
    return page
  }
  await after(30_000)
  assert.deepEqual(told(), [])
})

/** A MiniCluster with its Job and its lead broker, which was missed. */
function withoutSidecar(name: string, namespace: string): readonly NewObject[] {
  const uid = `uid-of-${name}`
  const own = { name, namespace, uid }
  return [
    { ...miniCluster(), metadata: { ...miniCluster().metadata, ...own } },
    job({ ...own, ownerReferences: [{ ...MINICLUSTER_OWNER, name, uid }] }),
    lead({ metadata: { ...own, ownerReferences: [{ ...JOB_OWNER, name, uid }] } }),
  ]
}

test('of thousands that were missed each is told in the end, and one namespace does not hold up the others', async () => {
  const objects = Array.from({ length: 1_200 }, (_, at) =>
    withoutSidecar(`mc-${at}`, at < 1_000 ? 'many' : 'few'),
  ).flat()
  let told = 0
  // Between two real passes there is time for all their Events.
  const { after, missing, cluster } = setup(objects, undefined, () => {
    told += 1
    return true
  })
  const reads = () => cluster.calls.filter(({ verb, kind }) => verb === 'get' && kind === 'Pod')
  await after(30_000)
  assert.deepEqual(
    ['many', 'few'].map((wanted) => reads().filter(({ namespace }) => namespace === wanted).length),
    [200, 200],
  )
  assert.deepEqual(await missing(), [
    'flux_metrics_webhook_missing_sidecars{reason="CreatedBefore"} 400',
    'flux_metrics_webhook_missing_sidecars{reason="NotExamined"} 800',
  ])
  for (let pass = 0; pass < 4; pass += 1) await after(3 * MINUTE_MS)
  assert.deepEqual(await missing(), [
    'flux_metrics_webhook_missing_sidecars{reason="CreatedBefore"} 1200',
  ])
  assert.deepEqual([reads().length, told], [1_200, 1_200])
})

/** Reading the pod `name` fails. */
function failReading(cluster: EventCluster, error: Error, isTheirs: (name: string) => boolean) {
  const { read } = cluster
  cluster.read = async (reference) => {
    if (reference.kind === 'Pod' && isTheirs(reference.name)) throw error
    return read.call(cluster, reference)
  }
}

test('a pod that is too long to be read does not hide those after it', async () => {
  const objects = ['long', 'other'].flatMap((name) => withoutSidecar(name, 'default'))
  const { after, told, missing, lines, cluster } = setup(objects)
  const tooLong = new ClusterError(0, 'Cannot read the answer', { cause: new AnswerTooLong(9) })
  failReading(cluster, tooLong, (name) => name === 'long')
  await after(30_000)
  assert.deepEqual([told().length, lines.length], [1, 1])
  assert.deepEqual(await missing(), [
    'flux_metrics_webhook_missing_sidecars{reason="NotExamined"} 1',
    'flux_metrics_webhook_missing_sidecars{reason="CreatedBefore"} 1',
  ])
})

test('pods that can never be looked at hold up the others for one pass only', async () => {
  const names = Array.from({ length: 200 }, (_, at) => `bad-${at}`)
  const objects = [...names, 'good'].flatMap((name) => withoutSidecar(name, 'default'))
  const { after, told, cluster } = setup(objects)
  failReading(cluster, new Error('a defect'), (name) => name.startsWith('bad'))
  await after(30_000)
  assert.equal(told().length, 0)
  await after(3 * MINUTE_MS)
  assert.equal(told().length, 1)
})

/** A MiniCluster with its Job and its lead broker, which has the sidecar. */
function withSidecar(name: string, namespace = 'default'): readonly NewObject[] {
  const uid = `uid-of-${name}`
  const own = { name, namespace, uid }
  return [
    { ...miniCluster(), metadata: { ...miniCluster().metadata, ...own } },
    job({ ...own, ownerReferences: [{ ...MINICLUSTER_OWNER, name, uid }] }),
    lead({
      metadata: { ...own, ownerReferences: [{ ...JOB_OWNER, name, uid }] },
      annotations: { 'flux-metrics/injected': '1.2.3' },
    }),
  ]
}

const DIRECT = {
  service: 'custom-metrics-apiserver',
  namespace: 'default',
  isRead: true,
  isForeign: false,
}
const UNREACHED = 'flux_metrics_webhook_unreached_miniclusters'

test('two MiniClusters behind one Service are both told that an HPA obeys whichever answers', async () => {
  const { after, told, registry } = setup([...withSidecar('a'), ...withSidecar('b')], {
    ...DIRECT,
    minicluster: undefined,
  })
  await after(30_000)
  assert.deepEqual(
    told().map(({ reason, message }) => [reason, message]),
    ['a', 'b'].map((name) => [
      'MetricsUnreached',
      `Add flux-metrics/minicluster=${name} to the selector of Service default/custom-metrics-apiserver: ` +
        'it selects every MiniCluster, and an HPA obeys whichever answers',
    ]),
  )
  assert.match(await registry.metrics(), new RegExp(`^${UNREACHED}{reason="Shared"} 2$`, 'm'))
})

test('one MiniCluster behind such a Service is told nothing', async () => {
  const { after, told } = setup(withSidecar('a'), { ...DIRECT, minicluster: undefined })
  await after(30_000)
  assert.deepEqual(told(), [])
})

test('MiniClusters that the API does not lead to are told, once an hour, and the others are not', async () => {
  const objects = [...withSidecar('a'), ...withSidecar('b'), ...withSidecar('c', 'other')]
  const { after, told, registry } = setup(objects, { ...DIRECT, minicluster: 'a' })
  await after(30_000)
  await after(3 * MINUTE_MS)
  const messages = told().map(({ message }) => String(message))
  assert.equal(messages.length, 2)
  assert.match(
    messages[0] ?? '',
    /No HPA can read its metrics: .*, which selects MiniCluster a only$/,
  )
  assert.match(messages[1] ?? '', /, which selects no pods of namespace other$/)
  assert.match(await registry.metrics(), new RegExp(`^${UNREACHED}{reason="Unreached"} 2$`, 'm'))
})

test('a pod that claims to be of a MiniCluster makes no Event about it', async () => {
  const [minicluster, , pod] = withSidecar('b')
  assert.ok(minicluster !== undefined && pod !== undefined)
  const { after, told } = setup([minicluster, pod], { ...DIRECT, minicluster: 'a' })
  await after(30_000)
  assert.deepEqual(told(), [])
})

const INJECTED = { 'flux-metrics/injected': '1.2.3' } as const

/** A lead broker with its sidecar, without the annotations for node autoscalers. */
function exposed(annotations: Readonly<Record<string, string>> = {}) {
  const pod = lead()
  const index = { 'batch.kubernetes.io/job-completion-index': '0' }
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations: { ...index, ...INJECTED, ...annotations } },
  }
}

async function unprotected({ registry }: ReturnType<typeof setup>): Promise<readonly string[]> {
  const text = await registry.getSingleMetricAsString(
    'flux_metrics_webhook_unprotected_miniclusters',
  )
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
}

test('a MiniCluster whose lead broker may be evicted is told once, and counted', async () => {
  const reconcile = setup([miniCluster(), job(), exposed()])
  await reconcile.after(30_000)
  await reconcile.after(3 * MINUTE_MS)
  const [event, ...others] = reconcile.told()
  assert.deepEqual(others, [])
  assert.deepEqual(
    [event?.about, event?.type, event?.reason],
    [ABOUT, 'Warning', 'MetricsUnprotected'],
  )
  assert.match(
    String(event?.message),
    /^Node autoscalers may evict the pods, .* kubectl annotate pods -n default -l job-name=flux-sample karpenter/,
  )
  assert.deepEqual(await unprotected(reconcile), [
    'flux_metrics_webhook_unprotected_miniclusters{reason="Unprotected"} 1',
  ])
  reconcile.cluster.put(lead({ annotations: INJECTED }))
  await reconcile.after(3 * MINUTE_MS)
  assert.deepEqual(await unprotected(reconcile), [])
})

test('that a lead broker may be evicted is said again after an hour', async () => {
  const said: string[] = []
  const { after } = setup([miniCluster(), job(), exposed()], undefined, ({ reason }) => {
    said.push(reason)
    return true
  })
  await after(30_000)
  await after(HOUR_MS)
  assert.deepEqual(said, ['MetricsUnprotected', 'MetricsUnprotected'])
})

const OPT_OUT = { 'flux-metrics/protect': 'false' } as const

for (const [what, objects] of [
  [
    'that its user leaves to them',
    [miniCluster({ annotations: { ...ENABLED, ...OPT_OUT } }), exposed()],
  ],
  ['that says so itself', [miniCluster(), exposed(OPT_OUT)]],
  [
    'whose user set the annotations to the contrary',
    [
      miniCluster(),
      exposed({
        'karpenter.sh/do-not-disrupt': 'false',
        'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
      }),
    ],
  ],
  ['without metrics any more', [miniCluster({ annotations: {} }), exposed()]],
] as const) {
  test(`nothing is said about node autoscalers to a MiniCluster with a lead broker ${what}`, async () => {
    const reconcile = setup([job(), ...objects])
    await reconcile.after(30_000)
    assert.deepEqual([reconcile.told(), await unprotected(reconcile)], [[], []])
  })
}
