// Reviews of objects as large as they can be, in every shape that could cost more than its length. Each must be answered with
// little work: time of the processor, lines of the log, warnings, calls to the API server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReviewer } from '../support-admission.ts'
import {
  annotated,
  BROKER,
  ENABLED,
  JOB_OWNER,
  job,
  leadPod,
  miniCluster,
  miniClusterReview,
  OBJECTS,
  podReview,
  SCHEDULER,
} from '../support-objects.ts'

/** etcd stores 1.5 MiB; a hostile client may send more than the API server would. */
const SIZE = 3 * 2 ** 20

/** Nearly as many keys and values as a review may have (json-bounds.ts): what has more is not parsed at all. */
const PARTS = 90_000

/** The same work takes some 100 ms on a machine with nothing else to do. */
const MAX_CPU_MS = 3_000

/** 10 warnings of 200 characters, one sentence of 500, three names, and the keys. */
const MAX_LOG_LENGTH = 8_192

const LONG = 'x'.repeat(SIZE)
const SLASHES = `${'/'.repeat(SIZE)}x`

function many<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index))
}

function keys(count: number, value: string): Readonly<Record<string, string>> {
  return Object.fromEntries(many(count, (index) => [`flux-metrics/key-${index}`, value]))
}

/** Each setting that is read, with a value that is far too long. */
const ALL_LONG = Object.fromEntries(
  [
    'enabled',
    'socket',
    'run-as-user',
    'tls-secret',
    'metrics-config',
    'native-sidecar',
    'drain',
    'idle-grace-seconds',
    'log-level',
    'cpu-request',
    'memory-limit',
  ].map((name) => [`flux-metrics/${name}`, LONG.slice(0, SIZE / 11)]),
)

function withContainers(containers: readonly object[]) {
  return leadPod({
    spec: { containers: [BROKER, ...containers.map((one) => ({ name: 'c', ...one }))] },
  })
}

const PODS: Readonly<Record<string, unknown>> = {
  'unknown annotations': annotated(keys(PARTS / 2, 'v')),
  'annotations with one long key': annotated({ [`flux-metrics/${LONG}`]: 'v' }),
  'annotations with long values': annotated(ALL_LONG),
  'a socket of slashes': annotated({ 'flux-metrics/socket': SLASHES }),
  'a socket of many folders': annotated({ 'flux-metrics/socket': '/a'.repeat(SIZE / 2) }),
  'a tls-secret of dots': annotated({ 'flux-metrics/tls-secret': 'a.'.repeat(SIZE / 2) }),
  'environment variables': withContainers([
    { env: many(PARTS / 6, (i) => ({ name: `E${i}`, value: 'v' })) },
  ]),
  volumes: leadPod({
    spec: { volumes: many(PARTS / 6, (index) => ({ name: `flux-view-${index}`, emptyDir: {} })) },
  }),
  'mounts of slashes': withContainers([{ volumeMounts: [{ name: 'a', mountPath: SLASHES }] }]),
  "mounts of slashes in the broker's container": leadPod({
    spec: {
      containers: [
        {
          ...BROKER,
          volumeMounts: many(8, () => ({ name: 'a', mountPath: `${'/'.repeat(SIZE / 8)}x` })),
        },
      ],
    },
  }),
  mounts: leadPod({
    spec: {
      containers: [
        {
          ...BROKER,
          volumeMounts: many(PARTS / 6, (index) => ({ name: `v${index}`, mountPath: '/mnt/flux' })),
        },
      ],
    },
  }),
  'owner references': leadPod({
    metadata: {
      ownerReferences: [
        ...many(PARTS / 12, (index) => ({ ...JOB_OWNER, name: `j-${index}`, controller: false })),
        JOB_OWNER,
      ],
    },
  }),
  'a long owner': leadPod({
    metadata: { ownerReferences: [{ ...JOB_OWNER, name: LONG, uid: LONG }] },
  }),
  'a long version of the owner': leadPod({
    metadata: { ownerReferences: [{ ...JOB_OWNER, apiVersion: `batch/${LONG}` }] },
  }),
  containers: withContainers(many(PARTS / 4, () => ({}))),
  ports: withContainers([
    { ports: many(PARTS / 4, (index) => ({ containerPort: index % 8_000 })) },
  ]),
  'a long name of a container in the way': withContainers([
    { name: LONG, ports: [{ containerPort: 8443 }] },
  ]),
  'a long label in the way': leadPod({
    metadata: { labels: { ...leadPod().metadata.labels, 'api-server': LONG } },
  }),
  'a long name': leadPod({ metadata: { name: LONG, annotations: leadPod().metadata.annotations } }),
  'a long index': leadPod({
    metadata: { annotations: { 'batch.kubernetes.io/job-completion-index': LONG } },
  }),
}

const DOTTED = `${'a.'.repeat(SIZE / 4)}a = 1`

const SPECS: Readonly<Record<string, object>> = {
  'dotted keys in brokerConfig': { flux: { brokerConfig: DOTTED } },
  'dotted keys of 16,384 characters': { flux: { brokerConfig: DOTTED.slice(-16_384) } },
  'tables in brokerConfig': { flux: { brokerConfig: '[[a]]\n'.repeat(2_700) } },
  'nested arrays in brokerConfig': { flux: { brokerConfig: `a = ${'['.repeat(16_000)}` } },
  'a long hostlist': {
    flux: { ...SCHEDULER, bursting: { hostlist: `${'a,'.repeat(SIZE / 2)}a` } },
  },
  'a hostlist of 10^9 hosts': { flux: { ...SCHEDULER, bursting: { hostlist: 'a[0-999999999]' } } },
  'a hostlist of many ranges': {
    flux: { ...SCHEDULER, bursting: { hostlist: 'flux-sample-[0-99999],'.repeat(700) } },
  },
  'a hostlist of brackets': { flux: { ...SCHEDULER, bursting: { hostlist: '['.repeat(16_000) } } },
  'clusters of bursting': {
    flux: {
      ...SCHEDULER,
      bursting: { clusters: many(PARTS / 4, (index) => ({ name: `b-${index}` })) },
    },
  },
  'options of Fluxion': {
    containers: [{ environment: { FLUXION_RESOURCE_OPTIONS: 'a=b '.repeat(SIZE / 4) } }],
  },
  'options of spaces': {
    containers: [{ environment: { FLUXION_RESOURCE_OPTIONS: `${' '.repeat(16_000)}x` } }],
  },
  'a long policy': { flux: { scheduler: { queuePolicy: LONG } } },
  containers: { containers: many(PARTS / 12, () => ({ environment: { A: 'b' } })) },
  'a mountPath of slashes': { flux: { ...SCHEDULER, container: { mountPath: SLASHES } } },
  'annotations of pods': { pod: { annotations: { ...ENABLED, ...keys(PARTS / 4, 'v') } } },
}

/** Reviews, and fails if that was much work. */
async function reviewCheaply(reviewer: ReturnType<typeof createReviewer>, body: object) {
  const bytes = Buffer.from(JSON.stringify(body))
  const before = process.cpuUsage()
  const { warnings } = await reviewer.review(bytes)
  const { user, system } = process.cpuUsage(before)
  const cpuMs = (user + system) / 1000
  assert.ok(cpuMs < MAX_CPU_MS, `${cpuMs} ms of the processor`)
  assert.ok(warnings.length <= 10 && warnings.every(({ length }) => length <= 200))
  for (const line of reviewer.lines) {
    const { length } = JSON.stringify(line)
    assert.ok(length < MAX_LOG_LENGTH, `a log line of ${length} characters`)
  }
  await new Promise(setImmediate)
  assert.ok(reviewer.cluster.calls.length <= 16, `${reviewer.cluster.calls.length} calls`)
  for (const { message } of reviewer.cluster.events) assert.ok(String(message).length <= 1024)
}

for (const [what, pod] of Object.entries(PODS)) {
  test(`a pod with many or long ${what} is little work`, async () => {
    await reviewCheaply(createReviewer({ objects: OBJECTS }), podReview(pod))
  })
}

for (const [what, spec] of Object.entries(SPECS)) {
  test(`a MiniCluster with many or long ${what} is little work`, async () => {
    const minicluster = { ...miniCluster(), spec }
    const before = miniCluster({ annotations: {} })
    await reviewCheaply(createReviewer(), miniClusterReview(minicluster))
    await reviewCheaply(createReviewer(), miniClusterReview(minicluster, before))
    const objects = [job(), minicluster]
    await reviewCheaply(createReviewer({ objects }), podReview(leadPod()))
  })
}

test('a MiniCluster with many unknown annotations is little work, and one warning counts them', async () => {
  const reviewer = createReviewer()
  const annotations = { ...ENABLED, ...keys(40_000, 'v') }
  const review = miniClusterReview(miniCluster({ annotations }))
  await reviewCheaply(reviewer, review)
  const { warnings } = await reviewer.review(review)
  assert.equal(warnings.length, 10)
  assert.equal(warnings.at(-1), 'flux-metrics/…: 39991 more annotations are not used')
})

test('a review with long names of its own is little work', async () => {
  const request = { uid: LONG, namespace: LONG, name: LONG }
  await reviewCheaply(createReviewer({ objects: OBJECTS }), podReview(leadPod(), request))
  const kind = { group: '', version: 'v1', kind: LONG }
  await reviewCheaply(createReviewer(), podReview(leadPod(), { kind, operation: LONG }))
})
