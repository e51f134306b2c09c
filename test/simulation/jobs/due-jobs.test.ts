// Due times of jobs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DueJobs, dueOf } from '#simulation/jobs/due-jobs.ts'
import { createJob } from '#simulation/jobs/job.ts'

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

test('the next due time follows jobs that are put off, moved forward and deleted', () => {
  const due = new DueJobs()
  const [first, second] = [1n, 2n].map((id) => createJob(id, {}))
  assert.ok(first !== undefined && second !== undefined)
  due.set(first, 10)
  due.set(second, 20)
  assert.equal(due.next, 10)
  due.set(first, 30)
  assert.equal(due.next, 20)
  due.set(first, 5)
  assert.equal(due.next, 5)
  due.delete(first)
  assert.equal(due.next, 20)
})
