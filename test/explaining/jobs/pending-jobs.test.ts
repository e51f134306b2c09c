import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { explainPendingJobs } from '#explaining/jobs/pending-jobs.ts'
import { explainRunningJobs } from '#explaining/jobs/running-jobs.ts'
import type { RunningJob } from '#flux/calls/job-list-calls.ts'
import { idsetOf } from '#flux/sets/id-list.ts'
import { EMPTY_IDSET, parseIdset } from '#flux/sets/idset.ts'
import type { Facts, WaitingJob } from '#reading/facts.ts'
import { unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { factsOf, ranksWith, snapshotOf } from '../../support/snapshots.ts'
import { TAKEN_AT, waitingFor, waitingJob, wholeNodes } from '../../support/waiting.ts'

const NOW = factsOf().takenAt

/** ƒ2aK, on ranks 0 to 6, which ends in 41 minutes. */
const RUNNING: RunningJob = {
  id: 5296,
  userid: 1000,
  ranks: parseIdset('0-6'),
  expiration: TAKEN_AT + 41 * 60,
}

/** Of 16 ranks, 0 to 9 are up, and job ƒ2aK has 0 to 6. */
function jobsIn(jobs: readonly WaitingJob[], changes: Partial<Snapshot> = {}) {
  const runningJobs = { jobs: [RUNNING], areAll: true }
  const numbered = jobs.map((job, index) => ({ ...job, id: index + 1 }))
  const snapshot = snapshotOf({ runningJobs, waiting: waitingFor(...numbered), ...changes })
  return explainPendingJobs(snapshot, NOW)?.first ?? []
}

function textsOf(jobs: readonly WaitingJob[], changes: Partial<Facts> = {}): readonly string[] {
  return jobsIn(jobs, changes).map(({ id, waitsFor, text }) => `${id} (${waitsFor}) ${text}`)
}

test('a job that fits on ranks that are free', () => {
  const [job, ...others] = jobsIn([wholeNodes(2, { queue: 'batch', submittedAt: TAKEN_AT - 60 })])
  assert.deepEqual(job, {
    id: 'ƒ2',
    user: 1000,
    queue: 'batch',
    waitedSeconds: 60,
    waitsFor: 'scheduler',
    ranks: '7-8',
    text: 'fits on ranks 7-8, which are free: the scheduler has not started it yet',
  })
  assert.deepEqual(others, [])
})

test('jobs that wait for nodes: all of theirs, or some', () => {
  assert.deepEqual(textsOf([wholeNodes(5), wholeNodes(2), wholeNodes(1)]), [
    'ƒ2 (nodes) needs 5 nodes, ranks 7-11, of which ranks 10-11 are not up yet',
    'ƒ3 (nodes) needs 2 nodes, ranks 12-13, which are not up yet',
    'ƒ4 (nodes) needs 1 node, rank 14, which is not up yet',
  ])
})

test('a job that fits behind one that waits for nodes', () => {
  const big = wholeNodes(6)
  // The big job takes ranks 7 to 12; half a node of rank 6 is free.
  const allocated = ranksWith('0-6', { cores: '0-3' })
  assert.deepEqual(textsOf([big, waitingJob()], { allocated }), [
    'ƒ2 (nodes) needs 6 nodes, ranks 7-12, of which ranks 10-12 are not up yet',
    'ƒ3 (jobs) would fit on rank 0, but job ƒ2 comes first',
  ])
})

test('a job that waits for one that runs, and for one that comes first', () => {
  assert.deepEqual(textsOf([wholeNodes(10)]), [
    'ƒ2 (jobs) waits for room, such as on ranks 0-6, which run job ƒ2aK of user 1000, ' +
      'which ends within 41 min',
  ])
  const idle = { allocated: ranksWith('', { cores: '0' }), runningJobs: { jobs: [], areAll: true } }
  assert.deepEqual(textsOf([wholeNodes(12), wholeNodes(6)], idle), [
    'ƒ2 (nodes) needs 12 nodes, ranks 0-11, of which ranks 10-11 are not up yet',
    'ƒ3 (jobs) waits for room, such as on ranks 0-5, which jobs before it would be given',
  ])
})

test('a job that waits for one that runs, and for ranks that are not up', () => {
  assert.deepEqual(textsOf([wholeNodes(12), wholeNodes(11)]), [
    'ƒ2 (jobs) waits for room, such as on ranks 0-6, which run job ƒ2aK of user 1000, ' +
      'which ends within 41 min; ranks 10-11 are not up yet',
    'ƒ3 (jobs) waits for room, such as on ranks 0-6, which run job ƒ2aK of user 1000, ' +
      'which ends within 41 min; rank 10 is not up yet',
  ])
})

test('of many jobs that hold the ranks two are named; what Flux does not list is allocated', () => {
  const holders = ['0', '1', '2', '3'].map((rank, index) => ({
    ...{ id: index + 1, userid: undefined, ranks: parseIdset(rank), expiration: 0 },
  }))
  const texts = textsOf([wholeNodes(10)], { runningJobs: { jobs: holders, areAll: true } })
  assert.deepEqual(texts, [
    'ƒ2 (jobs) waits for room, such as on ranks 0-6, which run job ƒ2, which has no time limit; ' +
      'job ƒ3, which has no time limit; 2 more jobs',
  ])
  assert.deepEqual(textsOf([wholeNodes(10)], { runningJobs: undefined }), [
    'ƒ2 (jobs) waits for room, such as on ranks 0-6, which are allocated',
  ])
})

test('jobs that the scheduler would not start, whatever the nodes', () => {
  const queues = new Map([['batch', { started: false, ranks: undefined }]])
  const texts = textsOf(
    [
      waitingJob({ state: 'DEPEND' }),
      waitingJob({ state: 'PRIORITY', priority: undefined }),
      waitingJob({ priority: 0 }),
      waitingJob({ queue: 'batch' }),
    ],
    { queues },
  )
  assert.deepEqual(texts, [
    'ƒ2 (dependency) waits for a dependency, or for a time to begin',
    'ƒ3 (priority) waits for a priority',
    'ƒ4 (release) is held (priority 0): release it with flux job urgency ƒ4',
    'ƒ5 (queue) queue "batch" is stopped: start it with flux queue start "batch"',
  ])
})

test('jobs in queues that are stopped for other reasons than flux queue stop', () => {
  const queues = new Map([
    ['batch', { started: false, ranks: undefined, stop: { by: 'scheduler' } as const }],
    ['small', { started: false, ranks: undefined, stop: { by: 'parent', parent: 'big' } as const }],
    ['old', { started: false, ranks: undefined, stop: { by: 'removal' } as const }],
    ['debug', { started: false, ranks: undefined, stop: { by: 'queue' } as const }],
  ])
  const jobs = [...queues.keys()].map((queue) => waitingJob({ queue }))
  assert.deepEqual(textsOf(jobs, { queues }), [
    'ƒ2 (scheduler) Flux has no scheduler that is ready: load one with flux module load',
    'ƒ3 (queue) queue "small" waits for its parent "big", which is stopped: start that with flux queue start "big"',
    'ƒ4 (queue) queue "old" is not configured any more: cancel the job, or configure the queue again',
    'ƒ5 (queue) queue "debug" is stopped: start it with flux queue start "debug"',
  ])
})

test('jobs that never start', () => {
  const part = { nodes: 1, slots: 1, cores: 1, gpus: 0, exclusive: false }
  const ways = [[part]]
  const texts = textsOf([
    wholeNodes(17),
    waitingJob({ request: { ways, ranks: EMPTY_IDSET, lackingProperty: 'gpu' } }),
    waitingJob({ request: { ways, ranks: EMPTY_IDSET } }),
  ])
  assert.deepEqual(texts, [
    'ƒ2 (nothing) asks for more than its queue has in R: it can never start; cancel it',
    'ƒ3 (nothing) needs property "gpu", which no rank has: it can never start',
    'ƒ4 (nothing) has constraints that no rank satisfies: it can never start',
  ])
})

const TOO_FEW =
  'ƒ2 (ranks) needs ranks that are drained, do not answer or are not used by the scheduler: more nodes do not help'

test('a job of more ranks than are left beside the drained ones', () => {
  const drains = [{ ranks: parseIdset('0-5'), reason: 'broken', drainedAt: 0 }]
  assert.deepEqual(textsOf([wholeNodes(12)], { drains }), [TOO_FEW])
})

test('a job that may be given the only ranks that it accepts, or any of several', () => {
  const long = { id: 1, userid: 1, ranks: parseIdset('0'), expiration: TAKEN_AT + 36_000 }
  const short = { id: 2, userid: 1, ranks: parseIdset('1-15'), expiration: TAKEN_AT + 60 }
  const full = {
    allocated: ranksWith('0-15', { cores: '0-3' }),
    offline: EMPTY_IDSET,
    runningJobs: { jobs: [long, short], areAll: true },
  }
  const part = { nodes: 1, slots: 1, cores: 1, gpus: 0, exclusive: true }
  const on = (ranks: string) =>
    waitingJob({ request: { ways: [[part]], ranks: parseIdset(ranks) } })
  assert.deepEqual(textsOf([wholeNodes(1), on('0'), on('0-1'), wholeNodes(16)], full), [
    'ƒ2 (jobs) waits for room, such as on rank 0, which runs job ƒ2 of user 1, which ends within 10 h',
    'ƒ3 (jobs) waits for rank 0, which runs job ƒ2 of user 1, which ends within 10 h',
    'ƒ4 (jobs) waits for room, such as on rank 0, which runs job ƒ2 of user 1, which ends within 10 h',
    'ƒ5 (jobs) waits for ranks 0-15, which run job ƒ2 of user 1, which ends within 10 h; ' +
      'job ƒ3 of user 1, which ends within 60 s',
  ])
})

test('jobs that are not listed may hold the ranks, too', () => {
  assert.deepEqual(textsOf([wholeNodes(10)], { runningJobs: { jobs: [RUNNING], areAll: false } }), [
    'ƒ2 (jobs) waits for room, such as on ranks 0-6, which run job ƒ2aK of user 1000, ' +
      'which ends within 41 min; perhaps jobs that are not listed',
  ])
})

test('a guest does not know what a job without a shape needs, and waits for', () => {
  const hidden = waitingJob({ nnodes: undefined, ncores: undefined })
  const [text = ''] = textsOf([hidden])
  assert.match(text, /^ƒ2 \(unknown\) it is not known what it needs: Flux does not show guests/)
})

test('10,000 ranks far apart and 1,000 jobs on them are explained in bounded time and length', () => {
  const far = Array.from({ length: 5_000 }, (_, index) => 2 * index)
  const jobs = Array.from({ length: 999 }, (_, index) => ({
    ...{ id: index + 1, userid: 1, expiration: 0 },
    ranks: idsetOf(index < 32 ? far : [2 * index]),
  }))
  const snapshot = snapshotOf({
    all: ranksWith('0-9999', { cores: '0-31' }),
    allocated: ranksWith(far.join(','), { cores: '0-31' }),
    offline: EMPTY_IDSET,
    runningJobs: { jobs, areAll: true },
    waiting: waitingFor(
      ...Array.from({ length: 50 }, (_, id) =>
        wholeNodes(5_001 + id, { id, queue: 'q'.repeat(10_000) }),
      ),
    ),
  })
  const { user } = process.cpuUsage()
  const pending = JSON.stringify(explainPendingJobs(snapshot, NOW))
  const running = explainRunningJobs(snapshot, NOW)
  const milliseconds = (process.cpuUsage().user - user) / 1000
  assert.ok(milliseconds < 1_000, `${milliseconds} ms`)
  assert.ok(pending.length < 100_000, `${pending.length} characters`)
  assert.ok(JSON.stringify(running).length < 200_000)
  assert.equal(running?.areAll, false)
})

test('a job that accepts drained or lost ranks only', () => {
  const drains = [{ ranks: parseIdset('0-15'), reason: 'broken', drainedAt: 0 }]
  assert.deepEqual(textsOf([wholeNodes(1)], { drains }), [TOO_FEW])
})

test('what is not known is said, with the reason', () => {
  assert.deepEqual(textsOf([waitingJob({ request: unknown('its jobspec is too long') })]), [
    'ƒ2 (unknown) it is not known what it needs: its jobspec is too long',
  ])
  assert.equal(explainPendingJobs(snapshotOf({ waiting: unknown('hidden') }), NOW), null)
})

test('fifty jobs are explained, the others counted', () => {
  const jobs = Array.from({ length: 60 }, (_, index) => waitingJob({ id: index + 1 }))
  const waiting = { ...waitingFor(...jobs), total: 75 }
  const { first = [], more } = explainPendingJobs(snapshotOf({ waiting }), NOW) ?? {}
  assert.deepEqual([first.length, more], [50, 25])
  assert.ok(first.every(({ waitsFor }) => waitsFor !== 'unknown'))
})

test('every pending job gets a sentence, and its ranks are ranks of R', () => {
  const arbitraryJob = fc.record({
    nnodes: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
    ncores: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
    priority: fc.constantFrom(0, 16, 31, undefined),
    state: fc.constantFrom('DEPEND' as const, 'PRIORITY' as const, 'SCHED' as const),
    queue: fc.constantFrom(undefined, 'batch', 'debug', 'gone'),
  })
  fc.assert(
    fc.property(fc.array(arbitraryJob, { maxLength: 20 }), (shapes) => {
      const explained = jobsIn(shapes.map((shape) => waitingJob(shape)))
      assert.equal(explained.length, shapes.length)
      for (const { text, ranks } of explained) {
        assert.match(text, /^[a-z].*[^.]$/)
        if (ranks !== null) assert.match(ranks, /^[\d,-]+$/)
      }
    }),
  )
})
