// Jobs by state, and their transitions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createJob } from '#simulation/jobs/job.ts'
import { JobTable } from '#simulation/jobs/job-table.ts'

test('a job is pending, then running, then not active', () => {
  const table = new JobTable()
  const job = createJob(1n, {})
  const facts = () => [
    table.pending.length,
    table.running.size,
    table.active.size,
    table.failed.length,
  ]
  table.add(job, 0)
  assert.deepEqual(facts(), [1, 0, 1, 0])
  table.enter(job, 'RUN', 10)
  assert.deepEqual(facts(), [0, 1, 1, 0])
  table.enter(job, 'CLEANUP', 20)
  assert.deepEqual(facts(), [0, 0, 1, 0])
  table.enter(job, 'INACTIVE', 20)
  assert.deepEqual(facts(), [0, 0, 0, 0])
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

test('jobs are counted by state and by result, in total and by queue', () => {
  const table = new JobTable()
  const jobs = [1n, 2n, 3n].map((id) => createJob(id, { queue: id === 1n ? 'batch' : 'debug' }))
  for (const job of jobs) table.add(job, 0)
  const [first, second, third] = jobs
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  table.enter(first, 'RUN', 1)
  second.result = 'canceled'
  table.enter(second, 'INACTIVE', 1)
  third.result = 'failed'
  table.enter(third, 'INACTIVE', 1)
  const { states, results } = table.tally
  assert.deepEqual([states.NEW, states.RUN, states.INACTIVE], [0, 1, 2])
  assert.deepEqual([results.canceled, results.failed, results.successful], [1, 1, 0])
  assert.deepEqual([table.tallyOf('batch').states.RUN, table.tallyOf('debug').states.RUN], [1, 0])
  assert.equal(table.tallyOf('debug').results.canceled, 1)
  assert.deepEqual(table.failed, [third])
})
