// Due times of jobs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DueJobs, dueOf } from '#simulation/due-jobs.ts'
import { createJob } from '#simulation/job.ts'

test('DueJobs returns the jobs that are due, earliest first', () => {
  const due = new DueJobs()
  const jobs = [1n, 2n, 3n].map((id) => createJob(id, {}))
  const times = [30, 10, 20]
  for (const [index, job] of jobs.entries()) due.set(job, times[index] ?? 0)
  assert.equal(due.next, 10)
  assert.deepEqual(
    due.until(20).map(({ id }) => id),
    [2n, 3n],
  )
})

test('a deleted job is never due', () => {
  const due = new DueJobs()
  const job = createJob(1n, {})
  due.set(job, 10)
  due.delete(job)
  assert.equal(due.next, undefined)
  assert.deepEqual(due.until(20), [])
  assert.equal(dueOf(job), Number.POSITIVE_INFINITY)
})
