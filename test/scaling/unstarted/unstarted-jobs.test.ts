// What is done for a job that fits and is not started, reading after reading.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobId } from '#flux/calls/job-list-calls.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import type { Facts, WaitingJob } from '#reading/facts.ts'
import { ranksIn } from '#scaling/ranks.ts'
import { HELP_STEPS, STEP_MS, UnstartedJobs } from '#scaling/unstarted/unstarted-jobs.ts'
import { factsOf, ranksWith } from '../../support/snapshots.ts'
import { waitingFor, wholeNodes } from '../../support/waiting.ts'

const JOIN = 600_000
const HELP_MS = HELP_STEPS * STEP_MS
const READING = 10_000

/** One queue, and nothing runs on 16 ranks, of which so many are up. */
function reading(size: number, changes: Partial<Facts> = {}): Facts {
  return factsOf({
    allocated: ranksWith('', { cores: '0-7' }),
    offline: parseIdset(size === 16 ? '' : size === 15 ? '15' : `${size}-15`),
    queues: new Map([['', { started: true, ranks: undefined }]]),
    waiting: waitingFor(wholeNodes(1, { id: 7 })),
    ...changes,
  })
}

/** A sidecar's memory, and a clock. */
class Run {
  readonly jobs = new UnstartedJobs({ stepMs: STEP_MS, joinTimeoutMs: JOIN })
  now = 0

  see(facts: Facts, published = 1) {
    const { waiting } = facts
    assert.ok(waiting.kind === 'known')
    const ranks = ranksIn(facts, 'flux-sample')
    const infeasibleJobs = new Set<JobId>()
    const all = { ...facts, lost: parseIdset(''), ranks, waiting, infeasibleJobs }
    return this.jobs.observe(this.now, all, published)
  }

  /** Readings at every interval for a time; what the last one says. */
  last(facts: Facts, forMs: number, published?: number) {
    let shown = this.see(facts, published)
    for (const end = this.now + forMs; this.now < end; ) {
      this.now += READING
      shown = this.see(facts, published)
    }
    return shown
  }

  sizes(facts: Facts, forMs: number, published?: number) {
    return this.last(facts, forMs, published).map(({ size }) => size)
  }
}

test('after a minute the size grows by one node, after the next by two more, then by four, up to R', () => {
  const run = new Run()
  assert.deepEqual(run.sizes(reading(2), STEP_MS - READING), [])
  assert.deepEqual(run.sizes(reading(2), READING), [3])
  assert.deepEqual(run.sizes(reading(3), STEP_MS), [5])
  assert.deepEqual(run.sizes(reading(5), STEP_MS), [9])
  assert.deepEqual(run.sizes(reading(9), STEP_MS), [16])
})

test('it grows from what is there, or from what was published if that is more', () => {
  assert.deepEqual(new Run().sizes(reading(2), STEP_MS, 5), [6])
  assert.deepEqual(new Run().sizes(reading(8), STEP_MS, 5), [9])
})

test('a job that every rank does not help within five minutes is set aside', () => {
  const run = new Run()
  run.last(reading(2), 4 * STEP_MS)
  const facts = reading(16)
  assert.deepEqual(run.sizes(facts, HELP_MS - READING), [16])
  const { submittedAt } = wholeNodes(1)
  assert.deepEqual(run.last(facts, 2 * READING), [
    {
      ...{ id: 7, queue: undefined, submittedAt, size: undefined },
      ...{ freeNodes: 16, fits: true, isGrown: true, absentNodes: 0 },
    },
  ])
  assert.deepEqual(run.sizes(reading(2), 60 * STEP_MS), [undefined])
})

test('if every rank is there at once, nothing grows, and the job is set aside after six minutes', () => {
  const run = new Run()
  assert.deepEqual(run.sizes(reading(16), STEP_MS + HELP_MS - READING), [16])
  const [job] = run.last(reading(16), READING)
  assert.deepEqual([job?.size, job?.isGrown], [undefined, false])
})

test('ranks that do not come are waited for, for ten minutes since the last one came', () => {
  const run = new Run()
  run.last(reading(2), 4 * STEP_MS)
  assert.deepEqual(run.sizes(reading(10), JOIN), [16])
  assert.deepEqual(run.sizes(reading(12), JOIN + HELP_MS - READING), [16])
  const [job] = run.last(reading(12), 2 * READING)
  assert.deepEqual([job?.size, job?.absentNodes], [undefined, 4])
  assert.deepEqual(run.sizes(reading(12), 60 * STEP_MS), [undefined])
})

test('the wait for ranks of which none comes begins with the last growth of the size', () => {
  const run = new Run()
  assert.deepEqual(run.sizes(reading(2), 4 * STEP_MS + JOIN + HELP_MS - READING), [16])
  assert.deepEqual(run.sizes(reading(2), READING), [undefined])
})

test('it grows no further than to the ranks that the job may be given', () => {
  const queues = new Map([['batch', { started: true, ranks: parseIdset('1-3') }]])
  const waiting = waitingFor(wholeNodes(1, { id: 7, queue: 'batch' }))
  const [job] = new Run().last(reading(2, { queues, waiting }), 10 * STEP_MS)
  assert.deepEqual([job?.size, job?.queue], [4, 'batch'])
})

test('a job that starts, ends, is held or does not fit any more is forgotten', () => {
  const run = new Run()
  assert.deepEqual(run.sizes(reading(2), STEP_MS), [3])
  assert.deepEqual(run.last(reading(2, { waiting: waitingFor() }), 0), [])
  run.last(reading(2), STEP_MS)
  const held = waitingFor(wholeNodes(1, { id: 7, priority: 0 }))
  assert.deepEqual(run.sizes(reading(2, { waiting: held }), STEP_MS - READING), [3])
  assert.deepEqual(run.last(reading(2, { waiting: held }), 2 * READING), [])
  assert.deepEqual(run.sizes(reading(2), STEP_MS - READING), [])
})

test('a short time in which it does not fit only delays it', () => {
  const run = new Run()
  run.last(reading(2), 3 * READING)
  run.last(reading(2, { allocated: ranksWith('0-1', { cores: '0-7' }) }), 3 * READING)
  run.now += READING
  assert.deepEqual(run.sizes(reading(2), 2 * READING), [])
  assert.deepEqual(run.sizes(reading(2), READING), [3])
})

test('time that no reading saw does not count', () => {
  const run = new Run()
  run.last(reading(2), STEP_MS - READING)
  run.now += 31_000
  assert.deepEqual(run.sizes(reading(2), 0), [])
  run.jobs.restart()
  run.now += READING
  assert.deepEqual(run.sizes(reading(2), 0), [])
  assert.deepEqual(run.sizes(reading(2), READING), [3])
})

/** A run in which the job was set aside, though every rank was there; these were busy. */
function setAsideWith(busy: string): Run {
  const run = new Run()
  const allocated = ranksWith(busy, { cores: '0-7' })
  assert.deepEqual(run.sizes(reading(16, { allocated }), STEP_MS + HELP_MS), [undefined])
  return run
}

test('a job that was set aside is tried once more when a rank is idle that was busy then', () => {
  const run = setAsideWith('3')
  assert.deepEqual(run.last(reading(2), 2 * STEP_MS).length, 1)
  assert.deepEqual(run.sizes(reading(4), STEP_MS), [5])
  assert.deepEqual(run.sizes(reading(16), 4 * STEP_MS + HELP_MS), [undefined])
  for (const busy of ['3', '5', '']) {
    const allocated = ranksWith(busy, { cores: '0-7' })
    assert.deepEqual(run.sizes(reading(16, { allocated }), STEP_MS), [undefined], busy)
  }
})

test('no rank that was in vain is tried again, whichever were busy each time', () => {
  const run = setAsideWith('3')
  const allocated = ranksWith('5', { cores: '0-7' })
  assert.deepEqual(run.sizes(reading(16, { allocated }), STEP_MS), [16])
  assert.deepEqual(run.sizes(reading(16, { allocated }), HELP_MS), [undefined])
  assert.deepEqual(run.sizes(reading(16), STEP_MS), [undefined])
})

test('it is tried once more when R has another rank, when a drain is lifted, and when an absent rank comes', () => {
  const drains = [{ ranks: parseIdset('15'), reason: 'broken fan', drainedAt: 0 }]
  const run = new Run()
  assert.deepEqual(run.sizes(reading(16, { drains }), STEP_MS + HELP_MS), [undefined])
  assert.deepEqual(run.sizes(reading(2, { drains }), STEP_MS), [undefined])
  assert.deepEqual(run.sizes(reading(2), STEP_MS), [3])

  const absent = new Run()
  assert.deepEqual(absent.sizes(reading(15), STEP_MS + HELP_MS + JOIN), [undefined])
  assert.deepEqual(absent.sizes(reading(16), STEP_MS), [16])

  const grown = setAsideWith('')
  assert.deepEqual(
    grown.sizes(
      reading(16, { all: ranksWith('0-19', { cores: '0-7' }), offline: parseIdset('16-19') }),
      STEP_MS,
    ),
    [17],
  )
})

test('a job that was set aside and leaves is forgotten', () => {
  const run = setAsideWith('')
  assert.deepEqual(run.last(reading(16, { waiting: waitingFor() }), 0), [])
  assert.deepEqual(run.sizes(reading(2), STEP_MS), [3])
})

test('a job that is helped and leaves is forgotten, while another one is set aside', () => {
  const facts = (...ids: readonly number[]) => {
    const waiting = waitingFor(...ids.map((id) => wholeNodes(1, { id })))
    return reading(16, { waiting, fluxion: { queuePolicy: 'easy' } })
  }
  const run = new Run()
  assert.deepEqual(run.sizes(facts(7, 8), 3 * STEP_MS + HELP_MS), [16, undefined])
  assert.deepEqual(run.sizes(facts(7), READING), [undefined])
})

test('a set-aside job that does not fit at the moment says so', () => {
  const run = setAsideWith('')
  const [job] = run.last(reading(2, { allocated: ranksWith('0-1', { cores: '0-7' }) }), READING)
  assert.deepEqual([job?.fits, job?.freeNodes, job?.size], [false, 16, undefined])
})

test('where the scheduler passes over it, the next job is helped, and it is tried once more all the same', () => {
  const waiting = waitingFor(wholeNodes(1, { id: 7 }), wholeNodes(1, { id: 8 }))
  const changes = { waiting, fluxion: { queuePolicy: 'easy' } }
  const run = new Run()
  const allocated = ranksWith('3', { cores: '0-7' })
  run.last(reading(16, { ...changes, allocated }), STEP_MS + HELP_MS)
  const next = run.last(reading(2, changes), STEP_MS + READING)
  assert.deepEqual(
    next.map(({ id, size, fits }) => [id, size, fits]),
    [
      [8, 3, true],
      [7, undefined, true],
    ],
  )
  const both = run.last(reading(4, changes), STEP_MS + READING)
  assert.deepEqual(
    both.map(({ id, size }) => [id, size]),
    [[7, 5]],
  )
})

test('at most twenty jobs are set aside; the size does not grow for the next ones', () => {
  const jobs: readonly WaitingJob[] = Array.from({ length: 30 }, (_, id) => wholeNodes(1, { id }))
  const facts = reading(16, { waiting: waitingFor(...jobs), fluxion: { queuePolicy: 'easy' } })
  const run = new Run()
  const shown = run.last(facts, 40 * (STEP_MS + HELP_MS))
  assert.deepEqual(
    shown.map(({ id }) => id),
    [...Array(20).keys()],
  )
  // One of the twenty is tried again for another rank, and a new job once they have left.
  const more = { all: ranksWith('0-19', { cores: '0-7' }), offline: parseIdset('16-19') }
  const [again] = run.last({ ...facts, ...more }, STEP_MS)
  assert.deepEqual([again?.id, again?.size], [0, 17])
  const waiting = waitingFor(wholeNodes(1, { id: 99 }))
  assert.deepEqual(run.sizes(reading(2, { waiting }), STEP_MS), [3])
})
