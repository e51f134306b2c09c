// Which jobs the scheduler should have started by now.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobId } from '#flux/calls/job-list-calls.ts'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import type { Facts, WaitingJob } from '#reading/facts.ts'
import { unknown } from '#reading/unknown.ts'
import { computeDemand } from '#scaling/demand.ts'
import { ranksIn } from '#scaling/ranks.ts'
import { firstJobs } from '#scaling/unstarted/first-jobs.ts'
import { factsOf, ranksWith } from '../../support/snapshots.ts'
import { requestFor, waitingFor, waitingJob, wholeNodes } from '../../support/waiting.ts'

/** Of 16 ranks of 8 cores, 0 to 9 are up and 0 to 6 are busy. Jobs that are first, and whether they fit. */
function look(
  jobs: readonly WaitingJob[],
  changes: Partial<Facts> = {},
  setAside: readonly JobId[] = [],
) {
  const facts = factsOf({ ...changes, waiting: waitingFor(...jobs) })
  const { waiting } = facts
  assert.ok(waiting.kind === 'known')
  const ranks = ranksIn(facts, 'flux-sample')
  const remembered = { lost: parseIdset('') }
  const { infeasibleJobs } = computeDemand({
    ...facts,
    ...remembered,
    recent: parseIdset(''),
    ranks,
    waiting,
  })
  const all = { ...facts, ...remembered, ranks, waiting, infeasibleJobs }
  return firstJobs(all, ({ job: { id } }) => setAside.includes(id))
}

const fitting = (...args: Parameters<typeof look>) =>
  look(...args).map(({ job, fits }) => [job.id, fits])

const ANONYMOUS: Partial<Facts> = { queues: new Map([['', { started: true, ranks: undefined }]]) }

test('the first job that the scheduler would start', () => {
  const jobs = [
    wholeNodes(1, { id: 1, state: 'DEPEND', priority: undefined }),
    wholeNodes(17, { id: 2 }),
    wholeNodes(2, { id: 3 }),
    wholeNodes(1, { id: 4 }),
    wholeNodes(1, { id: 5, priority: 0 }),
  ]
  assert.deepEqual(fitting(jobs, ANONYMOUS), [[3, true]])
  const stopped = new Map([['', { started: false, ranks: undefined }]])
  assert.deepEqual(fitting(jobs, { queues: stopped }), [])
})

test('it fits only on ranks that are online, not drained by anyone, and that answer', () => {
  const three = [wholeNodes(3)]
  const isDrained = (reason: string) => ({
    ...ANONYMOUS,
    drains: [{ ranks: parseIdset('9'), reason, drainedAt: 0 }],
  })
  assert.deepEqual(fitting(three, ANONYMOUS), [[1, true]])
  assert.deepEqual(fitting([wholeNodes(4)], ANONYMOUS), [[1, false]])
  assert.deepEqual(fitting(three, isDrained('broken fan')), [[1, false]])
  assert.deepEqual(fitting(three, isDrained('flux-metrics/flux-sample: scale-down to 9')), [
    [1, false],
  ])
  assert.deepEqual(fitting(three, { ...ANONYMOUS, torpid: parseIdset('8') }), [[1, false]])
  assert.deepEqual(fitting(three, { ...ANONYMOUS, offline: parseIdset('7,10-15') }), [[1, false]])
})

test('it fits on what is free of a busy rank', () => {
  const busy = { ...ANONYMOUS, allocated: ranksWith('0-9', { cores: '0-5' }) }
  const [first] = look([waitingJob({ ncores: 2 })], busy)
  assert.equal(first?.fits, true)
  assert.deepEqual([formatIdset(first.free), formatIdset(first.idle)], ['0-9', ''])
  const [wide] = look([waitingJob({ ncores: 3, ntasks: 1 })], busy)
  assert.equal(wide?.fits, false)
})

test('a rank on which a job runs is not idle, though Flux does not show it as allocated', () => {
  const [first] = look([wholeNodes(1)], { ...ANONYMOUS, running: parseIdset('8') })
  assert.equal(first && formatIdset(first.idle), '7,9')
})

test('the ranks that it may be given are those of its queue and of its constraint', () => {
  const queues = new Map([['batch', { started: true, ranks: parseIdset('4-12') }]])
  const request = {
    ...requestFor({ nodes: 1, slots: 1, cores: 1, gpus: 0, exclusive: false }),
    ranks: parseIdset('0-9,11-15'),
  }
  const drains = [{ ranks: parseIdset('8'), reason: 'broken fan', drainedAt: 0 }]
  const [first] = look([waitingJob({ queue: 'batch', request })], { queues, drains })
  assert.ok(first !== undefined)
  const { usable, open, idle } = first
  assert.deepEqual([usable, open, idle].map(formatIdset), ['4-7,9,11-12', '4-7,9', '7,9'])
})

test('a job of which it is not known what it needs does not count as fitting', () => {
  assert.deepEqual(fitting([waitingJob({ ncores: undefined })], ANONYMOUS), [[1, false]])
  assert.deepEqual(fitting([waitingJob({ request: unknown('odd') })], ANONYMOUS), [[1, false]])
})

test('GPUs that a guest is not shown count as all of the nodes', () => {
  const all = ranksWith('0-15', { cores: '0-7', gpus: '0-1' })
  const guest = { unknownRequests: unknown('Flux does not show GPUs') }
  const facts = factsOf({
    ...ANONYMOUS,
    all,
    allocated: ranksWith('0-8', { cores: '0', gpus: '0' }),
  })
  const ranks = ranksIn(facts, undefined)
  const fits = (nnodes: number) => {
    const waiting = { ...waitingFor(waitingJob({ nnodes, ncores: nnodes })), ...guest }
    const lost = parseIdset('')
    const infeasibleJobs = new Set<JobId>()
    const all = { ...facts, lost, ranks, waiting, infeasibleJobs }
    return firstJobs(all, () => false).map((first) => first.fits)
  }
  assert.deepEqual([fits(1), fits(2)], [[true], [false]])
})

const QUEUES = (batch: string, debug: string): Partial<Facts> => ({
  queues: new Map([
    ['batch', { started: true, ranks: parseIdset(batch) }],
    ['debug', { started: true, ranks: parseIdset(debug) }],
  ]),
})

const TWO = [
  wholeNodes(4, { id: 1, queue: 'batch' }),
  wholeNodes(1, { id: 2, queue: 'batch' }),
  wholeNodes(1, { id: 3, queue: 'debug' }),
]

test('without Fluxion there is one order for all queues', () => {
  assert.deepEqual(fitting(TWO, QUEUES('0-15', '0-15')), [[1, false]])
})

test('under Fluxion each queue has a first job, and each is looked at as if it was alone', () => {
  const fcfs = { ...QUEUES('0-15', '0-15'), fluxion: { queuePolicy: 'fcfs' } }
  assert.deepEqual(fitting(TWO, fcfs), [
    [1, false],
    [3, true],
  ])
  const both = [TWO[1], wholeNodes(3, { id: 3, queue: 'debug' })].filter((job) => job !== undefined)
  assert.deepEqual(fitting(both, fcfs), [
    [2, true],
    [3, true],
  ])
})

test('where resources are reserved, a job of another queue that waits for the same ranks may hold them', () => {
  const fluxion = { queuePolicy: 'easy' }
  assert.deepEqual(fitting(TWO, { ...QUEUES('0-15', '0-15'), fluxion }), [
    [1, false],
    [3, false],
  ])
  assert.deepEqual(fitting(TWO, { ...QUEUES('0-8', '9-15'), fluxion }), [
    [1, false],
    [3, true],
  ])
})

test('a job that was set aside stays the only first one, unless the scheduler passes over jobs that do not start', () => {
  const jobs = [wholeNodes(1, { id: 1 }), wholeNodes(1, { id: 2 })]
  assert.deepEqual(fitting(jobs, ANONYMOUS, [1]), [[1, true]])
  assert.deepEqual(fitting(jobs, { ...ANONYMOUS, fluxion: {} }, [1]), [[1, true]])
  const backfill = { ...ANONYMOUS, fluxion: { queuePolicy: 'conservative' } }
  assert.deepEqual(fitting(jobs, backfill, [1]), [
    [1, true],
    [2, true],
  ])
})

test('jobs of queues that are not configured hide no queue that is', () => {
  const fluxion = { queuePolicy: 'fcfs', matchPolicy: undefined, pruneFilters: undefined }
  const jobs = ['removed', undefined, 'batch', 'debug'].map((queue, id) =>
    wholeNodes(1, { id, queue }),
  )
  assert.deepEqual(
    fitting(jobs, { fluxion }).map(([id]) => id),
    [0, 1, 2, 3],
  )
})
