// Reviews of MiniClusters as they are created and updated: what is patched, logged, counted and said.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROTECTION } from '../../../webhook/contract.ts'
import { createReviewer } from '../support-admission.ts'
import {
  ENABLED,
  leadPod,
  miniCluster,
  miniClusterReview,
  OBJECTS,
  podReview,
  RUNNING,
  SCHEDULER,
} from '../support-objects.ts'

const BOTH = { pod: { annotations: PROTECTION } }
const PATCH = [{ op: 'add', path: '/spec/pod', value: BOTH.pod }]
const NAMES =
  'karpenter.sh/do-not-disrupt=true and cluster-autoscaler.kubernetes.io/safe-to-evict=false'

/** A MiniCluster as its user sends it: nothing is known of node autoscalers. */
function sent(annotations: Readonly<Record<string, string>> = ENABLED, spec: object = {}) {
  return miniCluster({ annotations, spec: { flux: SCHEDULER, pod: undefined, ...spec } })
}

/** Resolves when what goes on after an answer has ended, in an API server in memory. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate)
}

test('a new MiniCluster with metrics gets both annotations for its pods', async () => {
  const reviewer = createReviewer()
  const answer = await reviewer.review(miniClusterReview(sent()))
  assert.deepEqual([answer.patch, answer.warnings], [PATCH, []])
  const { ms: _ms, ...line } = reviewer.lines[0] ?? {}
  assert.deepEqual(line, {
    level: 'info',
    uid: 'uid-of-review',
    namespace: 'default',
    object: 'flux-sample',
    minicluster: 'flux-sample',
    decision: 'protect',
    reason: 'Protected',
    why: 'Protected its pods from node autoscalers',
    msg: 'reviewed',
  })
  const text = await reviewer.telemetry.registry.metrics()
  assert.match(text, /reviews_total\{decision="protect",reason="Protected",dry_run="false"\} 1\n/)
})

test('the patch of a MiniCluster is logged at debug', async () => {
  const { review, lines } = createReviewer({ level: 'debug' })
  await review(miniClusterReview(sent()))
  assert.deepEqual(lines[1], {
    level: 'debug',
    uid: 'uid-of-review',
    patch: PATCH,
    msg: 'patch',
  })
})

test('a new MiniCluster is patched once, also where another webhook lets it be reviewed again', async () => {
  const { review } = createReviewer()
  const again = await review(miniClusterReview(sent(ENABLED, BOTH)))
  assert.deepEqual(again.patch, [])
})

test('a dry run is answered with the same patch', async () => {
  const { review, lines } = createReviewer()
  const { request, ...rest } = miniClusterReview(sent())
  const answer = await review({ ...rest, request: { ...request, dryRun: true } })
  assert.deepEqual([answer.patch, lines[0]?.dryRun], [PATCH, true])
})

const UNCHANGED = [
  ['without metrics', sent({})],
  ['with metrics off', sent({ 'flux-metrics/enabled': 'false' })],
  ['with protect off', sent({ ...ENABLED, 'flux-metrics/protect': 'false' })],
  [
    'with metrics off for its pods',
    sent(ENABLED, { pod: { annotations: { 'flux-metrics/enabled': 'false' } } }),
  ],
  [
    'with protect off for its pods',
    sent(ENABLED, { pod: { annotations: { 'flux-metrics/protect': 'false' } } }),
  ],
] as const

for (const [what, minicluster] of UNCHANGED) {
  test(`a new MiniCluster ${what} stays as it is`, async () => {
    const answer = await createReviewer().review(miniClusterReview(minicluster))
    assert.deepEqual([answer.patch, answer.warnings], [[], []])
  })
}

test('metrics that are asked for in the annotations of the pods protect them too', async () => {
  const minicluster = sent({}, { pod: { annotations: ENABLED } })
  const { patch } = await createReviewer().review(miniClusterReview(minicluster))
  assert.deepEqual(
    patch.map(({ path }) => path),
    [
      '/spec/pod/annotations/karpenter.sh~1do-not-disrupt',
      '/spec/pod/annotations/cluster-autoscaler.kubernetes.io~1safe-to-evict',
    ],
  )
})

test('an invalid flux-metrics/protect is warned of, and the pods are protected', async () => {
  const minicluster = sent({ ...ENABLED, 'flux-metrics/protect': 'no' })
  const answer = await createReviewer().review(miniClusterReview(minicluster))
  assert.deepEqual(answer, {
    uid: 'uid-of-review',
    patch: PATCH,
    warnings: ['flux-metrics/protect: expected "true" or "false", got "no"'],
  })
})

test('a MiniCluster without a name is protected', async () => {
  const { metadata, ...rest } = sent()
  const { name: _name, uid: _uid, ...unnamed } = metadata
  const object = { ...rest, metadata: { ...unnamed, generateName: 'flux-sample-' } }
  assert.deepEqual((await createReviewer().review(miniClusterReview(object))).patch, PATCH)
})

test('an update and a subresource are never patched', async () => {
  const { review } = createReviewer()
  assert.deepEqual((await review(miniClusterReview(sent(), sent({})))).patch, [])
  const { request, ...rest } = miniClusterReview(sent())
  const scale = { ...rest, request: { ...request, subResource: 'scale' } }
  assert.deepEqual((await review(scale)).patch, [])
})

const COMMAND =
  'kubectl annotate pods -n default -l job-name=flux-sample ' +
  'karpenter.sh/do-not-disrupt=true cluster-autoscaler.kubernetes.io/safe-to-evict=false'

test('a running MiniCluster that is enabled is told by kubectl and by an Event, with the cures and their price', async () => {
  const reviewer = createReviewer({ objects: OBJECTS })
  const now = { ...sent(), ...RUNNING }
  const { patch, warnings } = await reviewer.review(
    miniClusterReview(now, { ...sent({}), ...RUNNING }),
  )
  await settled()
  assert.deepEqual(patch, [])
  assert.deepEqual(warnings.slice(1), [
    'flux-metrics/protect: node autoscalers may evict pods that run already, which ends their jobs. To create the ' +
      'MiniCluster again cures it, and ends its jobs',
    `flux-metrics/protect: or now and after each growth: ${COMMAND}`,
  ])
  assert.deepEqual(
    reviewer.cluster.events.map(({ reason }) => reason),
    ['MetricsPending', 'MetricsUnprotected'],
  )
  assert.equal(reviewer.cluster.events[1]?.type, 'Warning')
  assert.equal(
    reviewer.cluster.events[1]?.message,
    `Node autoscalers may evict the pods, which ends their jobs: they lack ${NAMES}. For the pods that run now: ${COMMAND}. ` +
      'Pods that are created later lack them again. For good: create the MiniCluster again, which ends its jobs. ' +
      'Where nothing scales nodes: flux-metrics/protect=false',
  )
})

test('a warning whose names leave no room for the whole command says where it is', async () => {
  const { review } = createReviewer()
  const of = (name: string) => {
    const named = (one: ReturnType<typeof sent>) => {
      return { ...one, ...RUNNING, metadata: { ...one.metadata, name } }
    }
    return miniClusterReview(named(sent()), named(sent({})))
  }
  const last = async (length: number) =>
    (await review(of('m'.repeat(length)))).warnings.at(-1) ?? ''
  assert.match(await last(17), /safe-to-evict=false$/)
  assert.equal(
    await last(18),
    'flux-metrics/protect: or now and after each growth, with the command in the Event MetricsUnprotected of the ' +
      'MiniCluster (kubectl describe minicluster)',
  )
})

test('the pod of an unprotected MiniCluster is protected, and an Event says that the others are not', async () => {
  const reviewer = createReviewer({ objects: OBJECTS })
  const pod = leadPod()
  const { 'karpenter.sh/do-not-disrupt': _karpenter, ...annotations } =
    pod.metadata.annotations ?? {}
  const { patch } = await reviewer.review(podReview(leadPod({ metadata: { annotations } })))
  assert.ok(patch.some(({ path }) => path === '/metadata/annotations/karpenter.sh~1do-not-disrupt'))
  const [, event] = reviewer.cluster.events
  assert.equal(event?.reason, 'MetricsUnprotected')
  assert.match(String(event?.message), /may evict the pods but that of index 0, which/)
})

test('an Event says that the pods of a protected MiniCluster stay where they are', async () => {
  const reviewer = createReviewer({ objects: OBJECTS })
  await reviewer.review(podReview(leadPod()))
  const [, event] = reviewer.cluster.events
  assert.deepEqual([event?.type, event?.reason], ['Normal', 'MetricsProtected'])
  assert.equal(event?.message, `Node autoscalers leave the pods where they are: ${NAMES}`)
})

test('a pod that its user leaves to node autoscalers stays so, and no Event is written about it', async () => {
  for (const own of [
    { 'flux-metrics/protect': 'false' },
    { ...PROTECTION, 'karpenter.sh/do-not-disrupt': 'false' },
  ]) {
    const reviewer = createReviewer({ objects: OBJECTS })
    const annotations = { 'batch.kubernetes.io/job-completion-index': '0', ...own }
    const { patch } = await reviewer.review(podReview(leadPod({ metadata: { annotations } })))
    assert.ok(patch.length > 0)
    assert.ok(patch.every(({ path }) => !/do-not-disrupt|safe-to-evict/.test(path)))
    assert.deepEqual(
      reviewer.cluster.events.map(({ reason }) => reason),
      ['MetricsInjected'],
    )
  }
})
