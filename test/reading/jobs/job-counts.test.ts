// Job counts from the answer of job-stats.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobStats } from '#flux/calls/job-calls.ts'
import { fingerprint, toJobs, withQueues } from '#reading/jobs/job-counts.ts'
import { jobCounts } from '../../support/snapshots.ts'

/** Counts that all differ. The jobs in NEW are those of the total that no state has. */
function statsOf(fresh: number): JobStats {
  const states = { depend: 1, priority: 2, sched: 3, run: 4, cleanup: 5, inactive: 26 }
  const results = { successful: 10, failed: 9, canceled: 5, timeout: 2 }
  return { ...states, ...results, total: 41 + fresh }
}

test('toJobs counts as new the jobs of the total that no state has', () => {
  const { total, queues } = toJobs({
    total: statsOf(7),
    queues: new Map([
      ['batch', statsOf(0)],
      ['debug', statsOf(2)],
    ]),
  })
  const { total: _, ...states } = statsOf(7)
  assert.deepEqual(total, { ...states, new: 7 })
  assert.deepEqual(
    [...queues].map(([name, counts]) => [name, counts.new]),
    [
      ['batch', 0],
      ['debug', 2],
    ],
  )
})

test('toJobs refuses states whose sum exceeds their total, in any queue', () => {
  const refused = {
    code: 'FLUX_PROTOCOL',
    message: 'Cannot trust job-stats: the sum of its states exceeds its total',
  }
  assert.throws(() => toJobs({ total: statsOf(-1), queues: new Map() }), refused)
  const queues = new Map([['batch', statsOf(-1)]])
  assert.throws(() => toJobs({ total: statsOf(0), queues }), refused)
})

test('fingerprint is the same only for the same counts, in whatever order the queues are listed', () => {
  const of = (first: number, ...queues: readonly (readonly [name: string, first: number])[]) =>
    fingerprint({
      kind: 'known',
      total: jobCounts(first),
      queues: new Map(queues.map(([name, count]) => [name, jobCounts(count)])),
    })
  const same = of(1, ['batch', 2], ['debug', 3])
  assert.equal(of(1, ['debug', 3], ['batch', 2]), same)
  for (const other of [
    of(2, ['batch', 2], ['debug', 3]),
    of(1, ['batch', 3], ['debug', 2]),
    of(1, ['batch', 2]),
    of(1),
  ]) {
    assert.notEqual(other, same)
  }
})

test('fingerprint is the same with and without queues that no job was in, as releases before 0.59 and later ones list them', () => {
  const jobs = { kind: 'known', total: jobCounts(1), queues: new Map([['batch', jobCounts(2)]]) }
  const known = { ...jobs, kind: 'known' } as const
  assert.equal(fingerprint(withQueues(known, ['batch', 'debug'])), fingerprint(known))
})

test('withQueues adds queues without jobs, and changes no other count', () => {
  const queues = new Map([['batch', jobCounts(2)]])
  const jobs = withQueues({ kind: 'known', total: jobCounts(1), queues }, ['batch', 'debug'])
  assert.deepEqual(jobs.queues.get('batch'), jobCounts(2))
  assert.deepEqual(new Set(Object.values(jobs.queues.get('debug') ?? {})), new Set([0]))
})

test('toJobs does not know new jobs if the total or the inactive jobs are not known', () => {
  for (const missing of [{ total: undefined }, { inactive: undefined }]) {
    const { total } = toJobs({ total: { ...statsOf(7), ...missing }, queues: new Map() })
    assert.deepEqual([total.new, total.run, total.failed], [undefined, 4, 9])
  }
})
