// Reviews while the API server is away, slow or unwilling: pods start as they are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClusterError } from '../../../webhook/kubernetes/cluster.ts'
import { createReviewer, type ReviewerOptions, SILENT_CLUSTER } from '../support-admission.ts'
import { leadPod, OBJECTS, podReview } from '../support-objects.ts'

/** A review of a lead broker's pod while the look-ups fail. */
async function reviewWithout(options: ReviewerOptions, error?: ClusterError) {
  const reviewer = createReviewer({ objects: OBJECTS, ...options })
  reviewer.cluster.failWith(error)
  return { answer: await reviewer.review(podReview(leadPod())), ...reviewer }
}

function notInjected(why: string) {
  const warnings = [`Could not look up the MiniCluster of the pod: ${why}`]
  return { uid: 'uid-of-review', patch: [], warnings }
}

const REFUSALS = [
  new ClusterError(0, 'Cannot reach the API server: connection refused'),
  new ClusterError(403, 'The API server answered 403: jobs.batch is forbidden'),
]

for (const error of REFUSALS) {
  test(`review allows the pod as it is: ${error.message}`, async () => {
    const { answer } = await reviewWithout({}, error)
    assert.deepEqual(answer, notInjected(error.message))
  })
}

test('review allows the pod as it is when the API server is too slow', async () => {
  const { answer } = await reviewWithout({ cluster: SILENT_CLUSTER, deadlineMs: 5 })
  assert.deepEqual(answer, notInjected('The API server did not answer in 5 ms'))
})

test('review allows the pod as it is when the version is too slow to come', async () => {
  const readVersion = () => new Promise<never>(() => {})
  const { answer } = await reviewWithout({ readVersion, deadlineMs: 5 })
  assert.deepEqual(answer, notInjected('The API server did not answer in 5 ms'))
})

test('review allows the pod as it is where the version is not known', async () => {
  const { answer } = await reviewWithout({
    readVersion: async () => {
      throw new ClusterError(500, 'The API server answered 500: no')
    },
  })
  assert.deepEqual(answer, notInjected('The API server answered 500: no'))
})

test('review warns in the log, counts, and writes no event of a look-up that failed', async () => {
  const [error = new ClusterError(0, '')] = REFUSALS
  const { cluster, lines, telemetry } = await reviewWithout({}, error)
  const [{ ms: _ms, ...line } = {}, ...more] = lines
  const why = `Could not look up the MiniCluster of the pod: ${error.message}`
  assert.deepEqual(line, {
    level: 'warn',
    uid: 'uid-of-review',
    namespace: 'default',
    object: 'flux-sample-0-*',
    decision: 'skip',
    reason: 'LookUpFailed',
    why,
    warnings: [why],
    msg: 'reviewed',
  })
  assert.deepEqual([more, cluster.events], [[], []])
  const counts = await telemetry.registry.metrics()
  assert.match(counts, /reviews_total\{decision="skip",reason="LookUpFailed",dry_run="false"\} 1\n/)
})

test('review injects again as soon as the API server is back', async () => {
  const reviewer = createReviewer({ objects: OBJECTS })
  reviewer.cluster.failWith(REFUSALS[0])
  await reviewer.review(podReview(leadPod()))
  reviewer.cluster.failWith(undefined)
  await reviewer.review(podReview(leadPod()))
  assert.deepEqual(
    reviewer.lines.map(({ reason }) => reason),
    ['LookUpFailed', 'Enabled'],
  )
})

test('review says nothing more when answers come after the deadline', async () => {
  const { promise, reject } = Promise.withResolvers<never>()
  const cluster = { ...SILENT_CLUSTER, read: () => promise }
  const { lines } = await reviewWithout({ cluster, deadlineMs: 5 })
  reject(new ClusterError(0, 'Cannot reach the API server: aborted'))
  await new Promise(setImmediate)
  assert.equal(lines.length, 1)
})
