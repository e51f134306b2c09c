// The order of waiting jobs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createJob } from '#simulation/jobs/job.ts'
import { WaitingJobs } from '#simulation/jobs/waiting-jobs.ts'

test('the first waiting job has the highest urgency, and is the oldest of them', () => {
  const waiting = new WaitingJobs()
  const jobs = [16, 31, 31, 0].map((urgency, id) => createJob(BigInt(id), { urgency }))
  for (const job of jobs) waiting.add(job)
  const order: bigint[] = []
  for (;;) {
    const first = waiting.first(() => true)
    if (first === undefined) break
    order.push(first.id)
    waiting.remove(first)
  }
  // Job 3 is held.
  assert.deepEqual(order, [1n, 2n, 0n])
})

test('a job that may not start is skipped', () => {
  const waiting = new WaitingJobs()
  for (const id of [1n, 2n]) waiting.add(createJob(id, {}))
  assert.equal(waiting.first(({ id }) => id === 2n)?.id, 2n)
})
