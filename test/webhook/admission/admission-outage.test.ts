// Reviews while the API server is away, slow, or refuses the look-ups: pods start as they are.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
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

/** A review whose look-ups are still under way when the deadline has passed. */
async function reviewPastDeadline(t: TestContext, options: ReviewerOptions) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const reviewed = reviewWithout(options)
  t.mock.timers.tick(2_000)
  return reviewed
}

const TOO_LATE = 'The API server did not answer within 2000 ms'

test('review allows the pod as it is when the API server is too slow', async (t) => {
  const { answer } = await reviewPastDeadline(t, { cluster: SILENT_CLUSTER })
  assert.deepEqual(answer, notInjected(TOO_LATE))
})

test('review injects an ordinary container where the version is not known', async () => {
  const { answer, lines } = await reviewWithout({
    readVersion: async () => {
      throw new ClusterError(500, 'The API server answered 500: no')
    },
  })
  assert.deepEqual([answer.warnings, lines[0]?.reason], [[], 'Enabled'])
  assert.match(JSON.stringify(answer.patch), /EXIT_WITH_BROKER/)
})

test('review logs a warning, counts, and writes no Event when a look-up failed', async () => {
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

test('review logs nothing more when answers arrive after the deadline', async (t) => {
  const { promise, reject } = Promise.withResolvers<never>()
  const cluster = { ...SILENT_CLUSTER, read: () => promise }
  const { lines } = await reviewPastDeadline(t, { cluster })
  reject(new ClusterError(0, 'Cannot reach the API server: aborted'))
  await new Promise(setImmediate)
  assert.equal(lines.length, 1)
})
