// Jobs that are not started although they fit, in sizes: with the idle grace, with queues and with drains.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import type { Facts } from '#reading/facts.ts'
import { unknown } from '#reading/unknown.ts'
import { DEFAULT_PATIENCE } from '#scaling/history.ts'
import { type MadeSnapshot, SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { HELP_STEPS, STEP_MS } from '#scaling/unstarted/unstarted-jobs.ts'
import { factsOf, ranksWith } from '../../support/snapshots.ts'
import { requestFor, waitingFor, waitingJob, wholeNodes } from '../../support/waiting.ts'

const GRACE = DEFAULT_PATIENCE.idleGraceMs
const READING = 10_000

/** One node, as a jobspec says it. */
const NODE = { nodes: 1, slots: 1, cores: 1, gpus: 0, exclusive: false }

/** Of 16 ranks so many are up. Nothing runs, and a job waits for one node. */
function reading(size: number, changes: Partial<Facts> = {}): Facts {
  return factsOf({
    allocated: ranksWith('', { cores: '0-7' }),
    offline: parseIdset(size === 16 ? '' : `${size}-15`),
    queues: new Map([['', { started: true, ranks: undefined }]]),
    waiting: waitingFor(wholeNodes(1)),
    ...changes,
  })
}

/** Snapshots of a reading that stays as it is, one for each interval of a time. */
function during(snapshots: SnapshotMaker, facts: Facts, [from, to]: readonly [number, number]) {
  const made: MadeSnapshot[] = []
  for (let now = from; now <= to; now += READING) made.push(snapshots.make(facts, now))
  return made
}

function sizeOf(made: MadeSnapshot | undefined): number | undefined {
  const { wanted, drained } = made?.snapshot.sizes ?? {}
  return wanted?.kind === 'known' ? (drained ?? wanted.whole) : undefined
}

test('the size grows for it, and falls back after the grace when it is set aside', () => {
  const snapshots = new SnapshotMaker({ drains: undefined })
  during(snapshots, reading(1), [0, STEP_MS - READING])
  assert.equal(sizeOf(snapshots.make(reading(1), STEP_MS)), 2)
  assert.equal(sizeOf(during(snapshots, reading(2), [STEP_MS, 5 * STEP_MS]).at(-1)), 16)
  const end = 5 * STEP_MS + HELP_STEPS * STEP_MS
  assert.equal(sizeOf(during(snapshots, reading(16), [5 * STEP_MS, end]).at(-1)), 16)
  const after = during(snapshots, reading(16), [end + READING, end + GRACE])
  assert.deepEqual(
    after.map(({ snapshot }) => snapshot.unstarted?.map(({ size }) => size)),
    after.map(() => [undefined]),
  )
  assert.equal(sizeOf(after.at(-2)), 16)
  assert.equal(sizeOf(after.at(-1)), 1)
})

test('it lowers no size that other jobs need', () => {
  const snapshots = new SnapshotMaker({ drains: undefined })
  const facts = reading(1, { waiting: waitingFor(wholeNodes(1), wholeNodes(12)) })
  const sizes = during(snapshots, facts, [0, 2 * STEP_MS]).map(sizeOf)
  assert.ok(sizes.every((size) => size !== undefined && size >= 13))
})

test('the size of its queue grows, and that of all queues, not those of other queues', () => {
  const queues = new Map([
    ['batch', { started: true, ranks: undefined }],
    ['debug', { started: true, ranks: undefined }],
  ])
  const waiting = waitingFor(wholeNodes(1, { queue: 'batch' }))
  const snapshots = new SnapshotMaker({ drains: undefined })
  const made = during(snapshots, reading(4, { queues, waiting }), [0, 2 * STEP_MS]).at(-1)
  const wanted = made?.snapshot.sizes.wanted
  assert.ok(wanted?.kind === 'known')
  assert.deepEqual([wanted.whole, ...wanted.queues], [7, ['batch', 7], ['debug', 1]])
})

test('a job on ranks that are still drained does not fit; ranks that are tried are given back', () => {
  const snapshots = new SnapshotMaker({
    drains: { instance: 'flux-sample' },
    patience: { idleGraceMs: 0 },
  })
  const drains = [
    { ranks: parseIdset('2-3'), reason: 'flux-metrics/flux-sample: scale-down to 2', drainedAt: 0 },
  ]
  const wide = reading(4, { drains, waiting: waitingFor(wholeNodes(3)) })
  const waits = during(snapshots, wide, [0, 3 * STEP_MS])
  assert.ok(waits.every(({ snapshot }) => snapshot.unstarted === undefined))
  const narrow = reading(4, { drains, waiting: waitingFor(wholeNodes(1, { id: 2 })) })
  const tried = during(snapshots, narrow, [4 * STEP_MS, 7 * STEP_MS])
  // Three ranks were published last, for the wide job.
  assert.equal(tried.at(-1)?.snapshot.unstarted?.[0]?.size, 10)
  assert.equal(formatIdset(tried.at(-1)?.drains?.undrain ?? parseIdset('')), '2-3')
})

test('while the size is not known, nothing is tried, and the time does not count', () => {
  const all = ranksWith('0-15', { cores: '0-7', gpus: '0' })
  const queues = new Map([
    ['batch', { started: true, ranks: parseIdset('0-3') }],
    ['debug', { started: true, ranks: parseIdset('4-15') }],
  ])
  const first = wholeNodes(1, { queue: 'batch', request: requestFor(NODE) })
  const unknownPlace = waitingJob({ id: 2, queue: 'debug', ntasks: 4, ncores: 4 })
  const known = reading(2, { all, queues, waiting: waitingFor(first) })
  const waiting = {
    ...waitingFor(first, unknownPlace),
    unknownRequests: unknown('GPUs are not known'),
  }
  const snapshots = new SnapshotMaker({ drains: undefined })
  const unknowns = during(snapshots, { ...known, waiting }, [0, 20 * STEP_MS])
  assert.ok(unknowns.every((made) => sizeOf(made) === undefined))
  const [, second] = [20 * STEP_MS + 1, 21 * STEP_MS].map((now) => snapshots.make(known, now))
  assert.equal(second?.snapshot.unstarted, undefined)
})

test('without a time-out nobody looks for such jobs', () => {
  const patience = { startTimeoutMs: Number.POSITIVE_INFINITY }
  const snapshots = new SnapshotMaker({ drains: undefined, patience })
  const made = during(snapshots, reading(1), [0, 20 * STEP_MS])
  assert.ok(made.every(({ snapshot }) => snapshot.unstarted === undefined))
})
