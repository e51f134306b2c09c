import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '#serving/status.ts'
import { applyTo } from '../../../webhook/injection/json-patch.ts'
import { type Pod, toPod } from '../../../webhook/objects/pod.ts'
import { createReviewer, type ReviewerOptions } from '../support-admission.ts'
import {
  annotated,
  BROKER,
  job,
  leadPod,
  miniCluster,
  miniClusterReview,
  OBJECTS,
  podReview,
  RUNNING,
  SCHEDULER,
} from '../support-objects.ts'

/** One review of a pod of an enabled MiniCluster, with the log lines. */
async function reviewPod(pod: Pod, options: ReviewerOptions & { readonly request?: object } = {}) {
  const { request = {}, ...others } = options
  const reviewer = createReviewer({ objects: OBJECTS, ...others })
  const answer = await reviewer.review(podReview(pod, request))
  return { ...reviewer, answer }
}

/** The lines of the counter of reviews. */
async function countsOf({ telemetry }: Pick<ReturnType<typeof createReviewer>, 'telemetry'>) {
  const text = await telemetry.registry.metrics()
  return text.split('\n').filter((line) => line.startsWith('flux_metrics_webhook_reviews_total{'))
}

/** A line without its milliseconds, which must be a number. */
function withoutTime(line: Record<string, unknown> | undefined) {
  const { ms, ...rest } = line ?? {}
  assert.equal(typeof ms, 'number')
  return rest
}

const LINE = {
  level: 'info',
  uid: 'uid-of-review',
  namespace: 'default',
  object: 'flux-sample-0-*',
  minicluster: 'flux-sample',
  decision: 'inject',
  reason: 'Enabled',
  msg: 'reviewed',
}

const DRAIN_WARNING = 'flux-metrics/drain: expected "true" or "false", got "yes"'

test('review logs one line of an injection', async () => {
  const { lines } = await reviewPod(leadPod())
  assert.deepEqual(lines.map(withoutTime), [LINE])
})

test('review logs why a pod is left as it is', async () => {
  const { lines } = await reviewPod(
    leadPod({ metadata: { name: 'other', annotations: null, labels: null } }),
  )
  const { minicluster: _none, ...line } = LINE
  const why = 'The pod has no completion index: only index 0 runs the lead broker'
  assert.deepEqual(lines.map(withoutTime), [
    { ...line, object: 'other', decision: 'skip', reason: 'NotIndexZero', why },
  ])
})

for (const [what, request] of [
  ['Node', { kind: { kind: 'Node' } }],
  ['Pod/status', { subResource: 'status' }],
] as const) {
  test(`review leaves a ${what} as it is, and says what it expected`, async () => {
    const { lines, cluster } = await reviewPod(leadPod(), { request })
    const { minicluster: _none, ...line } = LINE
    const why = `Expected a Pod, got ${what}`
    assert.deepEqual(lines.map(withoutTime), [
      { ...line, object: '?', decision: 'skip', reason: 'NotAPod', why },
    ])
    assert.deepEqual(cluster.calls, [])
  })
}

test('review leaves a Pod that does not look like one as it is', async () => {
  const { review, lines } = createReviewer()
  await review(podReview({ metadata: {} }))
  const { minicluster: _none, ...line } = LINE
  const why = 'The object does not look like a pod'
  assert.deepEqual(lines.map(withoutTime), [
    { ...line, object: '?', decision: 'skip', reason: 'NotAPod', why },
  ])
})

test('review leaves the update of a pod as it is', async () => {
  const { lines, answer } = await reviewPod(leadPod(), { request: { operation: 'UPDATE' } })
  assert.deepEqual(answer.patch, [])
  assert.deepEqual(
    [lines[0]?.reason, lines[0]?.why],
    ['NotCreated', 'Expected operation CREATE, got UPDATE'],
  )
})

test('review logs warnings, and that it was a dry run', async () => {
  const pod = annotated({ 'flux-metrics/drain': 'yes' })
  const { lines } = await reviewPod(pod, { request: { dryRun: true } })
  assert.deepEqual(lines.map(withoutTime), [{ ...LINE, warnings: [DRAIN_WARNING], dryRun: true }])
})

test('review logs a patch at debug only', async () => {
  const [info, debug] = await Promise.all([
    reviewPod(leadPod()),
    reviewPod(leadPod(), { level: 'debug' }),
  ])
  const uid = 'uid-of-review'
  const line = {
    level: 'debug',
    uid,
    patch: debug.answer.patch,
    msg: 'patch',
  }
  assert.deepEqual(debug.lines.slice(1), [line])
  assert.doesNotMatch(JSON.stringify(info.lines), /securityContext/)
})

test('review logs no patch of a pod that is left as it is', async () => {
  const pod = leadPod({ metadata: { annotations: null, labels: null } })
  const { lines } = await reviewPod(pod, { level: 'debug' })
  assert.deepEqual(
    lines.map(({ msg }) => msg),
    ['reviewed'],
  )
})

test('review logs its milliseconds to a tenth, and counts its seconds', async (t) => {
  const { review, lines, telemetry } = createReviewer()
  const times = [5_000, 6_234.56]
  t.mock.method(performance, 'now', () => times.shift())
  await review(podReview(leadPod({ metadata: { annotations: null, labels: null } })))
  assert.equal(lines[0]?.ms, 1_234.6)
  const text = await telemetry.registry.metrics()
  assert.match(text, /review_duration_seconds_sum\{reason="NotIndexZero"\} 1\.23456\d*\n/)
})

test('review logs no content of the pod', async () => {
  const env = [{ name: 'KEY', value: '-----BEGIN PRIVATE KEY-----\nTUlHSA==' }]
  const pod = leadPod({ spec: { containers: [{ ...BROKER, env }] } })
  const { lines } = await reviewPod(pod, { level: 'trace' })
  assert.equal(lines.length, 2)
  assert.doesNotMatch(JSON.stringify(lines), /PRIVATE KEY|TUlHSA/)
})

test('review counts injections, skips and dry runs apart', async () => {
  const reviewer = createReviewer({ objects: OBJECTS })
  const review = podReview(leadPod())
  for (const body of [review, review, podReview(leadPod(), { dryRun: true }), podReview(null)]) {
    await reviewer.review(body)
  }
  const name = 'flux_metrics_webhook_reviews_total'
  assert.deepEqual(await countsOf(reviewer), [
    `${name}{decision="inject",reason="Enabled",dry_run="false"} 2`,
    `${name}{decision="inject",reason="Enabled",dry_run="true"} 1`,
    `${name}{decision="skip",reason="NotAPod",dry_run="false"} 1`,
  ])
})

/** The type, reason and message of each Event, but for that of every injection into a protected pod. */
function eventsOf({ cluster }: Pick<ReturnType<typeof createReviewer>, 'cluster'>) {
  return cluster.events
    .filter(({ reason }) => reason !== 'MetricsProtected')
    .map(({ type, reason, message }) => ({ type, reason, message }))
}

const INJECTED = {
  type: 'Normal',
  reason: 'MetricsInjected',
  message:
    'Added container "flux-metrics" to pod flux-sample-0-* as a native sidecar for the socket /mnt/flux/config/run/flux/local',
}

test('review writes an Event about an injection', async () => {
  assert.deepEqual(eventsOf(await reviewPod(leadPod())), [INJECTED])
})

test('review writes an Event about an ordinary container', async () => {
  const reviewer = await reviewPod(leadPod(), { version: { major: 1, minor: 28 } })
  const message = INJECTED.message.replace('a native sidecar', 'an ordinary container')
  assert.deepEqual(eventsOf(reviewer), [{ ...INJECTED, message }])
})

test('review writes an Event about annotations with invalid values', async () => {
  const reviewer = await reviewPod(annotated({ 'flux-metrics/drain': 'yes' }))
  assert.deepEqual(eventsOf(reviewer), [
    INJECTED,
    { type: 'Warning', reason: 'MetricsAnnotations', message: DRAIN_WARNING },
  ])
})

test('review injects, warns and writes an Event about a scheduler that defeats autoscaling', async () => {
  const spec = { flux: { scheduler: { queuePolicy: 'conservative' } } }
  const reviewer = await reviewPod(leadPod(), { objects: [job(), miniCluster({ spec })] })
  const message =
    "spec.containers.environment: Fluxion's match-policy first does not fill the lowest ranks first, " +
    'but shrinking removes the highest: set FLUXION_RESOURCE_OPTIONS: match-policy=lonode'
  assert.deepEqual(reviewer.answer.warnings, [message])
  assert.deepEqual(eventsOf(reviewer), [
    INJECTED,
    { type: 'Warning', reason: 'MetricsScheduler', message },
  ])
})

test('review injects, warns and writes an Event about ranks of other clusters', async () => {
  const spec = { flux: { ...SCHEDULER, bursting: { clusters: [{ name: 'burst-0', size: 4 }] } } }
  const reviewer = await reviewPod(leadPod(), { objects: [job(), miniCluster({ spec })] })
  const [message = ''] = reviewer.answer.warnings ?? []
  assert.match(
    message,
    /^spec\.flux\.bursting\.clusters: the ranks of other clusters are not counted/,
  )
  assert.deepEqual(eventsOf(reviewer), [
    INJECTED,
    { type: 'Warning', reason: 'MetricsBursting', message },
  ])
})

test('review injects, warns and writes an Event about a MiniCluster that cannot grow', async () => {
  const spec = { flux: SCHEDULER, maxSize: undefined }
  const reviewer = await reviewPod(leadPod(), { objects: [job(), miniCluster({ spec })] })
  const [message = ''] = reviewer.answer.warnings
  assert.match(message, /^spec\.maxSize: not set/)
  assert.deepEqual(eventsOf(reviewer), [
    INJECTED,
    { type: 'Warning', reason: 'MetricsSize', message },
  ])
})

test('review repairs a sidecar from which another webhook took its restartPolicy', async () => {
  const first = await reviewPod(leadPod())
  const broken = toPod(applyTo(leadPod(), first.answer.patch))
  assert.ok(broken)
  for (const container of broken.spec.initContainers ?? []) delete container.restartPolicy
  const again = await reviewPod(broken)
  const repaired = toPod(applyTo(broken, again.answer.patch))
  assert.deepEqual(repaired?.spec.initContainers, leadPod().spec.initContainers)
  assert.equal(repaired?.spec.containers.at(-1)?.name, 'flux-metrics')
  const message =
    'Another webhook took restartPolicy from the container "flux-metrics", which is an ordinary one now: ' +
    'update that webhook, which breaks native sidecars'
  assert.deepEqual(again.answer.warnings, [message])
  assert.deepEqual(eventsOf(again), [{ type: 'Warning', reason: 'MetricsRepaired', message }])
})

test('review injects, warns and writes an Event about a Job that Kueue stops', async () => {
  const spec = { flux: SCHEDULER, jobLabels: { 'kueue.x-k8s.io/queue-name': 'user-queue' } }
  const reviewer = await reviewPod(leadPod(), { objects: [job(), miniCluster({ spec })] })
  const [message = ''] = reviewer.answer.warnings
  assert.match(message, /^spec\.jobLabels \(kueue\.x-k8s\.io\/queue-name\): Kueue stops a Job/)
  assert.deepEqual(eventsOf(reviewer), [
    INJECTED,
    { type: 'Warning', reason: 'MetricsKueue', message },
  ])
})

test('review warns and writes an Event that says why there are no metrics', async () => {
  const containers = [BROKER, { name: 'web', ports: [{ containerPort: 8443 }] }]
  const reviewer = await reviewPod(leadPod({ spec: { containers } }))
  const message =
    'Container "web" of the pod uses port 8443, which the sidecar needs: set flux-metrics/port to a free port'
  assert.deepEqual(reviewer.answer.warnings, [message])
  assert.deepEqual(eventsOf(reviewer), [
    { type: 'Warning', reason: 'MetricsNotInjected', message: `PortTaken: ${message}` },
  ])
})

test('review tells of annotations with invalid values beside why there are no metrics', async () => {
  const containers = [BROKER, { name: 'web', ports: [{ containerPort: 8443 }] }]
  const { metadata } = annotated({ 'flux-metrics/drain': 'yes' })
  const reviewer = await reviewPod(leadPod({ metadata, spec: { containers } }))
  const [first, why, ...more] = reviewer.answer.warnings
  assert.deepEqual([first, more], [DRAIN_WARNING, []])
  assert.match(why ?? '', /^Container "web" of the pod uses port 8443/)
  assert.deepEqual(eventsOf(reviewer), [
    { type: 'Warning', reason: 'MetricsNotInjected', message: `PortTaken: ${why}` },
    { type: 'Warning', reason: 'MetricsAnnotations', message: DRAIN_WARNING },
  ])
})

test('review neither warns nor writes an Event for a MiniCluster that asked for no metrics', async () => {
  const objects = [...OBJECTS.slice(0, 1), miniCluster({ annotations: {} })]
  const reviewer = await reviewPod(leadPod(), { objects })
  assert.deepEqual([eventsOf(reviewer), reviewer.answer.warnings], [[], []])
})

test('review writes nothing in a dry run, and answers the same', async () => {
  const pod = annotated({ 'flux-metrics/drain': 'yes' })
  const real = await reviewPod(pod)
  const dry = await reviewPod(pod, { request: { dryRun: true } })
  assert.deepEqual(dry.answer, real.answer)
  assert.deepEqual(
    dry.cluster.calls.filter(({ verb }) => verb !== 'get' && verb !== 'list'),
    [],
  )
})

test('review asks the API server nothing about pods of other indices', async () => {
  const { cluster } = await reviewPod(leadPod({ metadata: { annotations: null, labels: null } }))
  assert.deepEqual(cluster.calls, [])
})

test('review leaves a pod as it is, and says why, if a patch does not apply', async () => {
  const { metadata, ...pod } = leadPod()
  // No API server sends such a list. The patch that it breaks stands for any defect of the webhook.
  const object = { ...pod, metadata: { ...metadata, labels: [] } }
  const { review, lines } = createReviewer({ objects: OBJECTS })
  const answer = await review(podReview(object))
  const message = 'The webhook failed to review this object: see its log, and report the defect'
  assert.deepEqual(answer, { uid: 'uid-of-review', patch: [], warnings: [message] })
  const [{ err, ...defect } = {}, line] = lines
  const { uid } = LINE
  assert.deepEqual(defect, {
    level: 'error',
    uid,
    msg: 'review failed by a defect: please report it',
  })
  assert.match(JSON.stringify(err), /Cannot apply the patch: /)
  assert.equal(line?.reason, 'InternalError')
})

test('review takes a pod with deep nesting in a field that is not read', async () => {
  const depth = 90
  const body = JSON.stringify(podReview({ ...leadPod(), status: 'deep' }))
  const deep = body.replace('"deep"', `${'['.repeat(depth)}${']'.repeat(depth)}`)
  const { review, lines } = createReviewer({ objects: OBJECTS })
  await review(Buffer.from(deep))
  assert.deepEqual(lines.map(withoutTime), [LINE])
})

test('review takes a pod with 40,000 labels', async () => {
  const keys = Array.from({ length: 40_000 }, (_, index) => [`k${index}`, 'v'] as const)
  const { answer } = await reviewPod(leadPod({ metadata: { labels: Object.fromEntries(keys) } }))
  assert.equal(answer.patch.length, 6)
})

test('review refuses a body that is not a review, and neither logs nor counts it', async () => {
  const reviewer = createReviewer()
  await assert.rejects(
    reviewer.review(Buffer.from('pod')),
    (error) => error instanceof StatusError && error.code === 400,
  )
  assert.deepEqual([reviewer.lines, await countsOf(reviewer)], [[], []])
})

test('review answers for a MiniCluster with the warnings of the advice', async () => {
  const { review, lines } = createReviewer()
  const object = miniCluster({ annotations: { 'flux-metrics/drain': 'yes' } })
  const { patch, warnings } = await review(miniClusterReview(object))
  assert.deepEqual([patch, warnings], [[], [DRAIN_WARNING]])
  assert.deepEqual(lines.map(withoutTime), [
    {
      ...LINE,
      object: 'flux-sample',
      decision: 'advise',
      reason: 'Warned',
      warnings: [DRAIN_WARNING],
    },
  ])
})

/** Resolves when what goes on after an answer has ended, in an API server in memory. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
}

/** A running MiniCluster that is enabled, and as it was before. */
const SWITCHED = [
  { ...miniCluster(), ...RUNNING },
  { ...miniCluster({ annotations: {} }), ...RUNNING },
] as const

test('review warns, and writes an Event, when a running MiniCluster is enabled', async () => {
  const reviewer = createReviewer({ objects: OBJECTS })
  const { warnings } = await reviewer.review(miniClusterReview(...SWITCHED))
  await settled()
  assert.match(warnings.join(), /^flux-metrics\/enabled: The metrics sidecar starts when/)
  assert.deepEqual(
    eventsOf(reviewer).map(({ reason }) => reason),
    ['MetricsPending'],
  )
})

/** API servers in which the MiniCluster that a review claims to be about is not there. */
const OTHER_OBJECTS = [
  [],
  [{ ...miniCluster(), metadata: { ...miniCluster().metadata, uid: 'other' } }],
  [{ ...miniCluster(), metadata: { ...miniCluster().metadata, namespace: 'elsewhere' } }],
]

for (const [index, objects] of OTHER_OBJECTS.entries()) {
  test(`review writes no Event about a MiniCluster that is not there (${index})`, async () => {
    const reviewer = createReviewer({ objects })
    const review = miniClusterReview(...SWITCHED)
    await reviewer.review({ ...review, request: { ...review.request, dryRun: false } })
    await settled()
    assert.deepEqual(reviewer.cluster.events, [])
  })
}

test('review writes an Event in its own namespace only, whatever the object says', async () => {
  const [after, before] = SWITCHED
  const elsewhere = { ...after, metadata: { ...after.metadata, namespace: 'kube-system' } }
  const reviewer = createReviewer({ objects: OBJECTS })
  await reviewer.review(miniClusterReview(elsewhere, before))
  await settled()
  assert.deepEqual(
    reviewer.cluster.events.map(({ metadata }) => metadata.namespace),
    ['default'],
  )
})

test('review gives a new MiniCluster warnings, also one without a name, and no Event', async () => {
  const reviewer = createReviewer()
  const { metadata, ...rest } = miniCluster({ annotations: { 'flux-metrics/drain': 'yes' } })
  const { name: _name, uid: _uid, ...unnamed } = metadata
  const kueues = { ...rest, metadata: { ...unnamed, generateName: 'flux-sample-' } }
  const { warnings } = await reviewer.review(miniClusterReview(kueues))
  await settled()
  assert.deepEqual([warnings, reviewer.cluster.calls], [[DRAIN_WARNING], []])
  assert.equal(reviewer.lines[0]?.object, 'flux-sample-*')
})

test('review warns, and writes an Event, where no HPA can read the metrics', async () => {
  const topology = () => ({
    namespace: 'default',
    service: 'custom-metrics-apiserver',
    minicluster: 'other',
    isRead: true,
    isForeign: false,
  })
  const why =
    'No HPA can read its metrics: the custom metrics API leads to Service default/custom-metrics-apiserver, ' +
    'which selects MiniCluster other only'
  const reviewer = createReviewer({ objects: OBJECTS, topology })
  const created = await reviewer.review(miniClusterReview(miniCluster()))
  const injected = await reviewer.review(podReview(leadPod()))
  assert.deepEqual([created.warnings, injected.warnings], [[why], [why]])
  assert.deepEqual(eventsOf(reviewer), [
    INJECTED,
    { type: 'Warning', reason: 'MetricsUnreached', message: why },
  ])
})

for (const [what, object, name] of [
  ['a MiniCluster without advice', miniCluster(), 'flux-sample'],
  ['a MiniCluster that does not look like one', { metadata: {} }, '?'],
] as const) {
  test(`review writes nothing for ${what}, and logs it at debug only`, async () => {
    const reviewer = createReviewer({ level: 'debug' })
    const { patch, warnings } = await reviewer.review(miniClusterReview(object, miniCluster()))
    assert.deepEqual([patch, warnings, reviewer.cluster.calls], [[], [], []])
    const subject = { object: name, minicluster: name }
    assert.deepEqual(reviewer.lines.map(withoutTime), [
      { ...LINE, ...subject, level: 'debug', decision: 'advise', reason: 'Nothing' },
    ])
  })
}
