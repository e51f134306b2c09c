// Jobs by state, and their transitions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createJob } from '#simulation/job.ts'
import { JobTable } from '#simulation/job-table.ts'

test('a job is pending, then running, then not active', () => {
  const table = new JobTable()
  const job = createJob(1n, {})
  const facts = () => [table.pending.length, table.running.size, table.active]
  table.add(job, 0)
  assert.deepEqual(facts(), [1, 0, 1])
  table.enter(job, 'RUN', 10)
  assert.deepEqual(facts(), [0, 1, 1])
  table.enter(job, 'CLEANUP', 20)
  assert.deepEqual(facts(), [0, 0, 1])
  table.enter(job, 'INACTIVE', 20)
  assert.deepEqual(facts(), [0, 0, 0])
  assert.deepEqual(job.times, { NEW: 0, RUN: 10, CLEANUP: 20, INACTIVE: 20 })
})

test('takeTransitions returns each transition once', () => {
  const table = new JobTable()
  const job = createJob(1n, {})
  table.add(job, 0)
  table.enter(job, 'DEPEND', 0)
  assert.deepEqual(table.takeTransitions(), [{ job, state: 'DEPEND', at: 0 }])
  assert.deepEqual(table.takeTransitions(), [])
})

test('find refuses an unknown id', () => {
  assert.throws(() => new JobTable().find(7n), /^RangeError: Cannot find job 7$/)
})
