import assert from 'node:assert/strict'
import { test } from 'node:test'
import { warningsOf } from '#explaining/notices/warnings.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import type { EndedJob, QueueState } from '#reading/facts.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { jobCounts, ranksWith, snapshotOf } from '../../support/snapshots.ts'
import { waitingFor, waitingJob } from '../../support/waiting.ts'

const NO_JOBS = { ...jobCounts(0), depend: 0, priority: 0 }
const FITTING = { isIgnored: false, present: 10 }

function warn(changes: Partial<Snapshot>): readonly string[] {
  const jobs = { kind: 'known', total: NO_JOBS, queues: new Map() } as const
  return warningsOf(snapshotOf({ jobs, ...changes }), FITTING).map(({ text }) => text)
}

test('warningsOf is empty if there is no problem', () => {
  assert.deepEqual(warn({}), [])
})

test('warningsOf names the settings of the scheduler that defeat autoscaling', () => {
  const settings = { queuePolicy: 'fcfs', matchPolicy: 'lonode', pruneFilters: undefined }
  const [warning = '', ...others] = warn({ fluxion: settings })
  assert.match(warning, /^Fluxion .* refuses .* prune-filters = "ALL:core"/)
  assert.deepEqual(others, [])
})

test('warningsOf names the default match policy only if idle nodes show it', () => {
  const fluxion = { queuePolicy: 'easy', matchPolicy: undefined, pruneFilters: undefined }
  assert.deepEqual(warn({ fluxion }), [])
  const [warning = '', ...others] = warn({ fluxion, allocated: ranksWith('9', { cores: '0-7' }) })
  assert.match(
    warning,
    /^Fluxion with match-policy "first", its default, .* match-policy = "lonode"$/,
  )
  assert.deepEqual(others, [])
  assert.equal(warn({ fluxion: { ...fluxion, matchPolicy: 'first' } }).length, 1)
})

test('warningsOf counts the jobs that the scheduler refused, and no other failed jobs', () => {
  const fluxion = { queuePolicy: 'fcfs', matchPolicy: 'lonode', pruneFilters: 'ALL:core' }
  const failed: EndedJob = {
    id: 1,
    queue: undefined,
    inactiveAt: 0,
    exceptionType: 'alloc',
    exceptionNote: 'alloc denied due to type="unsatisfiable"',
    ...{ nnodes: 16, ncores: 16, upThen: 10 },
  }
  const others = [
    { ...failed, exceptionType: 'exec' },
    { ...failed, exceptionNote: undefined },
    { ...failed, exceptionType: undefined, exceptionNote: undefined },
  ]
  assert.deepEqual(warn({ fluxion, failed: [failed, failed, ...others] }), [
    '2 jobs were refused in the last 10 min because they asked for more nodes than were up: submit them again',
  ])
  assert.deepEqual(warn({ fluxion, failed: others }), [])
})

test('warningsOf counts the pending jobs that add no demand', () => {
  const jobs = { kind: 'known', queues: new Map(), total: { ...NO_JOBS, depend: 3, priority: 1 } }
  const warnings = warn({
    jobs: { ...jobs, kind: 'known' },
    queues: new Map([
      ['batch', { started: true, ranks: undefined }],
      ['debug', { started: false, ranks: undefined }],
    ]),
    waiting: waitingFor(
      waitingJob({ queue: 'batch', nnodes: 1, priority: 0 }),
      waitingJob({ queue: 'batch', nnodes: 17 }),
      waitingJob({ queue: 'batch', nnodes: 18 }),
      waitingJob({ queue: 'debug', nnodes: 1 }),
    ),
  })
  assert.deepEqual(warnings, [
    '1 job is held (priority 0): it adds no demand; release it with flux job urgency',
    '2 jobs ask for more than their queue has in R: they can never start; cancel them',
    'queue "debug" is stopped: 1 job in it adds no demand until flux queue start "debug"',
    '4 jobs wait for a dependency or a priority: they add no demand yet',
  ])
})

test('warningsOf says that the only queue is stopped', () => {
  const queues = new Map([['', { started: false, ranks: undefined }]])
  assert.deepEqual(
    warn({ queues, waiting: waitingFor(waitingJob({ nnodes: 1 }), waitingJob({ nnodes: 1 })) }),
    ['the queue is stopped: 2 jobs in it add no demand until flux queue start'],
  )
})

test('warningsOf counts the jobs of a stopped queue as Flux does where the list is cut', () => {
  const queues = new Map([
    ['batch', { started: true, ranks: undefined }],
    ['debug', { started: false, ranks: undefined }],
  ])
  const counts = { ...NO_JOBS, sched: 12_000 }
  const jobs = {
    kind: 'known' as const,
    total: { ...NO_JOBS, sched: 12_001 },
    queues: new Map([
      ['batch', { ...NO_JOBS, sched: 1 }],
      ['debug', counts],
    ]),
  }
  const listed = waitingFor(waitingJob({ queue: 'batch', nnodes: 1 }))
  assert.deepEqual(warn({ queues, jobs, waiting: { ...listed, total: 12_001 } }), [
    'queue "debug" is stopped: 12000 jobs in it add no demand until flux queue start "debug"',
  ])
})

test('warningsOf says what starts a queue that flux queue start does not start', () => {
  const stopped = (stop: QueueState['stop']) => ({
    started: false,
    ranks: undefined,
    ...(stop && { stop }),
  })
  const warnings = warn({
    queues: new Map([
      ['batch', stopped({ by: 'scheduler' })],
      ['debug', stopped({ by: 'scheduler' })],
      ['small', stopped({ by: 'parent', parent: 'big' })],
      ['old', stopped({ by: 'removal' })],
      ['empty', stopped({ by: 'scheduler' })],
    ]),
    waiting: waitingFor(
      ...['batch', 'debug', 'small', 'old', 'old'].map((queue) => waitingJob({ queue, nnodes: 1 })),
      // Its own sentence says what these wait for.
      waitingJob({ queue: 'small', priority: 0 }),
      waitingJob({ queue: 'old', state: 'DEPEND' }),
    ),
  })
  assert.deepEqual(warnings, [
    '1 job is held (priority 0): it adds no demand; release it with flux job urgency',
    'Flux has no scheduler that is ready: 2 jobs add no demand until flux module load',
    'queue "small" waits for its parent "big", which is stopped: 1 job in it adds no demand until flux queue start "big"',
    'queue "old" is not configured any more: 2 jobs in it add no demand; cancel them, or configure the queue again',
  ])
})

test('warningsOf reports drains by others, with at most 60 characters of their reason', () => {
  const drains = [
    { ranks: parseIdset('2'), reason: 'broken fan', drainedAt: 0 },
    { ranks: parseIdset('3-4'), reason: '', drainedAt: 0 },
    { ranks: parseIdset('5'), reason: 'x'.repeat(61), drainedAt: 0 },
  ]
  assert.deepEqual(warn({ drains }), [
    'rank 2 is drained, not by the sidecar ("broken fan"): no job starts there until flux resource undrain',
    'ranks 3-4 are drained, not by the sidecar (no reason given): no job starts there until flux resource undrain',
    `rank 5 is drained, not by the sidecar ("${'x'.repeat(60)}…"): no job starts there until flux resource undrain`,
  ])
})

/** Job counts of queues with these names. */
function queuesNamed(...names: readonly string[]): Pick<Snapshot, 'jobs'> {
  const queues = new Map(names.map((name) => [name, NO_JOBS]))
  return { jobs: { kind: 'known', total: NO_JOBS, queues } }
}

for (const [names, warning] of [
  [['batch', 'a.b_c-d', 'x'.repeat(63)], undefined],
  [
    ['batch', 'gpu+big'],
    'queue "gpu+big" has a name that no label selector can hold: its jobs count in',
  ],
  [
    ['a/b', '-x', 'x'.repeat(64)],
    `queues "a/b", "-x" and "${'x'.repeat(60)}…" have names that no label`,
  ],
  [
    ['+1', '+2', '+3', '+4', '+5'],
    'queues "+1", "+2", "+3" and 2 more have names that no label selector',
  ],
] as const) {
  test(`warningsOf says of queues ${names.join(', ').slice(0, 40)} whether a selector can name them`, () => {
    const found = warn(queuesNamed(...names))
    assert.equal(found.length, warning === undefined ? 0 : 1)
    assert.ok(found[0] === undefined || found[0].startsWith(warning ?? ''), found[0])
  })
}

test('warningsOf says what to do about drains that Flux made itself', () => {
  const drains = [
    { ranks: parseIdset('2'), reason: 'broker was unresponsive', drainedAt: 0 },
    {
      ranks: parseIdset('5'),
      reason: 'rank 5 (flux-sample-5) missing resources: core[2-3]',
      drainedAt: 0,
    },
  ]
  assert.deepEqual(warn({ drains }), [
    'rank 2 is drained by Flux, because its broker did not answer: no job starts there until flux resource undrain, ' +
      'also if a new pod joins',
    'rank 5 is drained by Flux, because its pod has fewer cores or GPUs than R says: no job starts there until flux ' +
      'resource undrain; let the pods of all ranks land on nodes of the same size',
  ])
})

test('warningsOf names ranks on which the scheduler and the resource module disagree, and the cure', () => {
  const ranks = { closed: parseIdset('3'), untracked: parseIdset('12-13') }
  assert.deepEqual(warn(ranks), [
    'rank 3 is down for the scheduler alone (excluded while it ran, or marked down in it): no job starts there until ' +
      'the scheduler is reloaded or marks them up',
    'ranks 12-13 are offline, but up for the scheduler, which lost track: a job that it starts there fails; reload the ' +
      'scheduler (flux module reload)',
  ])
})

test('warningsOf reports drains of one reason together, and at most five reasons', () => {
  const drains = Array.from({ length: 14 }, (_, rank) => ({
    ranks: parseIdset(String(rank)),
    reason: `reason ${rank % 7}`,
    drainedAt: 0,
  }))
  const warnings = warn({ drains })
  assert.equal(warnings.length, 6)
  assert.match(warnings[0] ?? '', /^ranks 0,7 are drained, not by the sidecar \("reason 0"\)/)
  assert.equal(warnings[5], '2 more drains by others: flux resource drain lists all')
})

test('warningsOf reports our own drains only if the sidecar no longer undrains them', () => {
  const drains = [
    {
      ranks: parseIdset('8-9'),
      reason: 'flux-metrics/default/flux-sample: scale-down to 8',
      drainedAt: 0,
    },
  ]
  assert.deepEqual(
    warn({ drains, ranks: { ...snapshotOf().ranks, ownDrained: parseIdset('8-9') } }),
    [],
  )
  assert.deepEqual(warn({ drains }), [
    'ranks 8-9 are still drained from when DRAIN was on: run flux resource undrain 8-9',
  ])
})

test('warningsOf gives the cure for a change that an HPA ignores', () => {
  const [warning, ...others] = warningsOf(
    snapshotOf({ jobs: { kind: 'known', total: NO_JOBS, queues: new Map() } }),
    { isIgnored: true, present: 60 },
  )
  assert.match(
    warning?.text ?? '',
    /^an HPA with the default tolerance of 10 % stays at 60: set tolerance 0 /,
  )
  assert.equal(warning?.code, 'hpa-tolerance')
  assert.deepEqual(others, [])
})
