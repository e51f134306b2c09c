import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unknownsOf, warningsOf } from '#explaining/warnings.ts'
import type { FailedJob } from '#flux/calls/job-list-calls.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import { unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { jobCounts, ranksWith, snapshotOf } from '../support/snapshots.ts'
import { waitingFor, waitingJob } from '../support/waiting.ts'

const NO_JOBS = { ...jobCounts(0), depend: 0, priority: 0 }
const FITTING = { isIgnored: false, present: 10 }

function warn(changes: Partial<Snapshot>): readonly string[] {
  const jobs = { kind: 'known', total: NO_JOBS, queues: new Map() } as const
  return warningsOf(snapshotOf({ jobs, ...changes }), FITTING)
}

test('warningsOf has nothing to say where all is well', () => {
  assert.deepEqual(warn({}), [])
})

test('warningsOf tells the settings of the scheduler that defeat autoscaling', () => {
  const settings = { queuePolicy: 'fcfs', matchPolicy: 'lonode', pruneFilters: undefined }
  const [warning = '', ...others] = warn({ fluxion: settings })
  assert.match(warning, /^Fluxion .* refuses .* prune-filters = "ALL:core"/)
  assert.deepEqual(others, [])
})

test('warningsOf tells of a match policy that is not configured only if it shows', () => {
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

test('warningsOf counts the jobs that the scheduler refused, and no others that failed', () => {
  const failed: FailedJob = {
    id: 1,
    queue: undefined,
    inactiveAt: 0,
    exceptionType: 'alloc',
    exceptionNote: 'alloc denied due to type="unsatisfiable"',
  }
  const others = [
    { ...failed, exceptionType: 'exec' },
    { ...failed, exceptionNote: undefined },
    { ...failed, exceptionType: undefined, exceptionNote: undefined },
  ]
  assert.deepEqual(warn({ failed: [failed, failed, ...others] }), [
    '2 jobs refused within 10 min, asking for more nodes than were up: no demand any more, submit again',
  ])
  assert.deepEqual(warn({ failed: others }), [])
})

test('warningsOf tells which pending jobs are no demand', () => {
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
    '1 pending job held (priority 0): no demand',
    '2 pending jobs asking for more than R has: never started',
    '1 pending job in queue "debug", which is stopped: no demand until flux queue start',
    '4 jobs not yet for the scheduler (dependency or priority): no demand',
  ])
})

test('warningsOf tells of the only queue that it is stopped', () => {
  const queues = new Map([['', { started: false, ranks: undefined }]])
  assert.deepEqual(
    warn({ queues, waiting: waitingFor(waitingJob({ nnodes: 1 }), waitingJob({ nnodes: 1 })) }),
    ['2 pending jobs in the queue, which is stopped: no demand until flux queue start'],
  )
})

test('warningsOf tells the drains of others, with as much of their reason as anybody would read', () => {
  const drains = [
    { ranks: parseIdset('2'), reason: 'broken fan', drainedAt: 0 },
    { ranks: parseIdset('3-4'), reason: '', drainedAt: 0 },
    { ranks: parseIdset('5'), reason: 'x'.repeat(61), drainedAt: 0 },
  ]
  assert.deepEqual(warn({ drains }), [
    'rank 2 is drained by an administrator ("broken fan"): counted around, never touched',
    'ranks 3-4 are drained by an administrator (no reason given): counted around, never touched',
    `rank 5 is drained by an administrator ("${'x'.repeat(60)}…"): counted around, never touched`,
  ])
})

test('warningsOf tells drains of one reason together, and no more than a person would read', () => {
  const drains = Array.from({ length: 14 }, (_, rank) => ({
    ranks: parseIdset(String(rank)),
    reason: `reason ${rank % 7}`,
    drainedAt: 0,
  }))
  const warnings = warn({ drains })
  assert.equal(warnings.length, 6)
  assert.match(warnings[0] ?? '', /^ranks 0,7 are drained by an administrator \("reason 0"\)/)
  assert.equal(warnings[5], '2 more drains by an administrator')
})

test('warningsOf tells of our drains only where nobody lifts them', () => {
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
    'ranks 8-9 are still drained from when DRAIN was on: flux resource undrain 8-9',
  ])
})

test('warningsOf tells how to have a change obeyed that an HPA ignores', () => {
  const [warning, ...others] = warningsOf(
    snapshotOf({ jobs: { kind: 'known', total: NO_JOBS, queues: new Map() } }),
    { isIgnored: true, present: 60 },
  )
  assert.match(
    warning ?? '',
    /^an HPA with the default tolerance of 10 % holds 60: set tolerance 0 /,
  )
  assert.deepEqual(others, [])
})

test('unknownsOf is empty where all is known', () => {
  assert.deepEqual(unknownsOf(snapshotOf()), [])
})

test('unknownsOf says that too many jobs failed to list them', () => {
  assert.deepEqual(
    unknownsOf(snapshotOf({ failed: unknown('too many jobs failed lately to list them') })),
    ['refused jobs: too many jobs failed lately to list them'],
  )
})

test('unknownsOf tells of GPUs only if a job waits that may want some', () => {
  const reason = 'Flux does not show guests'
  const idle = { kind: 'known', jobs: [], total: 0, unknownRequests: unknown(reason) } as const
  assert.deepEqual(unknownsOf(snapshotOf({ waiting: idle })), [])
  const busy = { ...idle, jobs: [waitingJob({ nnodes: 1 })], total: 1 }
  assert.deepEqual(unknownsOf(snapshotOf({ waiting: busy })), [`GPUs of pending jobs: ${reason}`])
})
