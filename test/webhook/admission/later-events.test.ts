import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LaterEvents, type Note } from '../../../webhook/admission/later-events.ts'
import { LookUps } from '../../../webhook/admission/look-ups/look-ups.ts'
import { ClusterError, type NewObject } from '../../../webhook/kubernetes/cluster.ts'
import type { MiniCluster } from '../../../webhook/objects/minicluster.ts'
import { MemoryCluster } from '../../support/memory-cluster.ts'
import { createReviewer } from '../support-admission.ts'
import {
  annotated,
  JOB_OWNER,
  job,
  leadPod,
  miniCluster,
  OBJECTS,
  podReview,
} from '../support-objects.ts'

const AWAY = new ClusterError(403, 'The API server answered 403: not yet')

/** Resolves when the calls in an API server in memory have ended. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise(setImmediate)
}

/** A webhook whose API server fails at first, and whose clock stands still. */
function whileAway(t: TestContext, objects: readonly NewObject[] = OBJECTS) {
  const reviewer = createReviewer({ objects })
  reviewer.cluster.failWith(AWAY)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return {
    ...reviewer,
    /** Lets the API server answer, and time pass. */
    comeBack: async () => {
      reviewer.cluster.failWith(undefined)
      t.mock.timers.tick(30_000)
      await settled()
      return reviewer.cluster.events.map(({ type, reason, message }) => ({ type, reason, message }))
    },
  }
}

const SAID = {
  type: 'Warning',
  reason: 'MetricsNotInjected',
  message:
    'LookUpFailed: Could not look up the MiniCluster of the pod: The API server answered 403: not yet: ' +
    'delete the index-0 pod to try again, which ends the jobs of the MiniCluster',
}

test('a failed look-up gets its Event when the API server answers', async (t) => {
  const { review, cluster, comeBack } = whileAway(t)
  await review(podReview(leadPod()))
  await settled()
  assert.deepEqual(cluster.events, [])
  assert.deepEqual(await comeBack(), [SAID])
})

const SILENT: readonly (readonly [string, object, readonly NewObject[]])[] = [
  ['a dry run', podReview(leadPod(), { dryRun: true }), OBJECTS],
  [
    'a MiniCluster without metrics',
    podReview(leadPod()),
    [job(), miniCluster({ annotations: {} })],
  ],
  [
    'a pod that wants no metrics',
    podReview(annotated({ 'flux-metrics/enabled': 'false' })),
    OBJECTS,
  ],
  ['a pod of nobody', podReview(leadPod()), []],
]

for (const [what, review, objects] of SILENT) {
  test(`a failed look-up gets no Event for ${what}`, async (t) => {
    const webhook = whileAway(t, objects)
    await webhook.review(review)
    await settled()
    assert.deepEqual(await webhook.comeBack(), [])
  })
}

/** A note about a MiniCluster that does not exist. */
function note(namespace: string, index: number, text = 'm'): Note {
  return {
    kind: 'minicluster',
    namespace,
    reference: { apiVersion: 'flux-framework.org/v1alpha2', name: `n-${index}`, uid: `${index}` },
    event: { type: 'Normal', reason: 'MetricsPending', message: text },
  }
}

test('notes are kept up to a number, in all and for each namespace, and no long ones', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const state = { isAway: true }
  const asked: string[] = []
  const events = new LaterEvents({
    lookUps: {
      find: async () => undefined,
      confirm: async (_reference, namespace) => {
        if (state.isAway) throw AWAY
        asked.push(namespace)
        return undefined
      },
    },
    events: { record: () => true },
  })
  events.add(note('long', 0, 'm'.repeat(5_000)))
  for (let index = 0; index < 1_000; index += 1) events.add(note('one', index))
  for (let index = 0; index < 1_000; index += 1) events.add(note(`many-${index}`, index))
  await settled()
  state.isAway = false
  t.mock.timers.tick(30_000)
  while (asked.length < 512) await settled()
  await settled()
  // The first one of all was being looked up while the others came.
  assert.equal(asked.length, 513)
  assert.equal(asked.filter((namespace) => namespace === 'one').length, 129)
  assert.ok(!asked.includes('long'))
})

test('notes about MiniClusters that are not there are soon gone, and hold nobody up', async () => {
  const minicluster = miniCluster()
  const cluster = new MemoryCluster([minicluster])
  const lookUps = new LookUps({ cluster, readVersion: async () => ({ major: 1, minor: 36 }) })
  const { apiVersion, metadata } = minicluster
  const { name, uid } = metadata
  await lookUps.confirm({ apiVersion, name, uid }, 'default')
  const recorded: string[] = []
  const events = new LaterEvents({
    lookUps,
    events: {
      record: ({ metadata: { namespace } }) => recorded.push(String(namespace)) > 0,
    },
  })
  for (let index = 0; index < 500; index += 1) events.add(note(`many-${index}`, index))
  const { event } = note('default', 0)
  const reference = { apiVersion, name, uid }
  events.add({ kind: 'minicluster', namespace: 'default', reference, event })
  for (let turn = 0; turn < 1_000 && recorded.length === 0; turn += 1) {
    await new Promise(setImmediate)
  }
  assert.deepEqual(recorded, ['default'])
  assert.ok(cluster.calls.length < 300, `${cluster.calls.length} calls`)
})

/** Later Events over look-ups that `answer` stands for, which is called for each of them; and those that were recorded. */
function over(answer: () => MiniCluster | undefined) {
  const recorded: string[] = []
  const lookUp = async () => answer()
  const events = new LaterEvents({
    lookUps: { find: lookUp, confirm: lookUp },
    events: { record: (_minicluster, { message }) => recorded.push(message) > 0 },
  })
  return { events, recorded }
}

/** A note about a pod whose look-up failed. */
function podNote(isEnabled?: boolean): Note {
  const { namespace, event } = note('default', 0)
  return { kind: 'pod', namespace, job: JOB_OWNER, isEnabled, event }
}

test('a note that comes after the others were recorded is recorded too', async () => {
  const { events, recorded } = over(miniCluster)
  for (const text of ['first', 'second']) {
    events.add(note('default', 0, text))
    await settled()
  }
  assert.deepEqual(recorded, ['first', 'second'])
})

test('a pod that asks for metrics gets its note, whatever its MiniCluster says', async () => {
  const { events, recorded } = over(() => miniCluster({ annotations: {} }))
  events.add(podNote(true))
  events.add(podNote())
  await settled()
  assert.deepEqual(recorded, ['m'])
})

test('a note about a pod of nobody is looked up once, and that of a pod without metrics never', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let asked = 0
  const { events } = over(() => {
    asked += 1
    return undefined
  })
  events.add(podNote(false))
  events.add(podNote(true))
  await settled()
  t.mock.timers.tick(30_000)
  await settled()
  assert.equal(asked, 1)
})

test('a note that fails goes behind those that wait', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let failures = 1
  const { events, recorded } = over(() => {
    failures -= 1
    if (failures >= 0) throw AWAY
    return miniCluster()
  })
  for (const text of ['first', 'second']) events.add(note('default', 0, text))
  await settled()
  t.mock.timers.tick(30_000)
  await settled()
  assert.deepEqual(recorded, ['second', 'first'])
})

test('a note is given up an hour after it came', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const start = performance.now()
  let now = start
  t.mock.method(performance, 'now', () => now)
  let asked = 0
  const { events } = over(() => {
    asked += 1
    throw AWAY
  })
  events.add(note('default', 0))
  await settled()
  const askedUntil = async (ms: number) => {
    now = start + ms
    t.mock.timers.tick(30_000)
    await settled()
    return asked
  }
  assert.deepEqual(
    [await askedUntil(3_599_999), await askedUntil(3_600_000), await askedUntil(3_700_000)],
    [2, 3, 3],
  )
})
