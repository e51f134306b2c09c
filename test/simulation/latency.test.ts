import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Instance, type InstanceOptions } from '#simulation/instance.ts'
import { Turns } from '#simulation/latency.ts'

/** Two nodes of one core, and the ranks that Flux shows as allocated. */
function setUp(latencies: Partial<InstanceOptions>) {
  const instance = new Instance({ maxSize: 2, coresPerNode: 1, ...latencies })
  const allocated = () => instance.nodes.filter((node) => node.allocated).map(({ rank }) => rank)
  return { instance, allocated }
}

test('Turns takes one time after the other, and begins again', () => {
  const turns = new Turns([1, 2])
  assert.deepEqual([turns.next(), turns.next(), turns.next()], [1, 2, 1])
  assert.deepEqual([new Turns(5).next(), new Turns().next(), new Turns([]).next()], [5, 0, 0])
})

test('what the scheduler matches and commits shows afterwards, also on a rank that was drained meanwhile', () => {
  const { instance, allocated } = setUp({ matchMs: 300, commitMs: 700 })
  const job = instance.submit({ nodes: 1, duration: 10 })
  instance.advance(500)
  instance.drain([0])
  instance.advance(499)
  assert.deepEqual([job.state, allocated()], ['SCHED', []])
  instance.advance(1)
  assert.deepEqual([job.state, allocated()], ['RUN', [0]])
})

test('a job starts late and ends late', () => {
  const { instance } = setUp({ startMs: 2_000 })
  const job = instance.submit({ nodes: 1, duration: 10 })
  instance.advance(11_999)
  assert.equal(job.state, 'RUN')
  instance.advance(1)
  assert.equal(job.state, 'INACTIVE')
})

test('epilog and housekeeping keep the ranks of a job that has ended', () => {
  const { instance, allocated } = setUp({ epilogMs: 5_000, housekeepingMs: 20_000 })
  const job = instance.submit({ nodes: 1, duration: 1 })
  instance.advance(1_000)
  assert.deepEqual([job.state, allocated()], ['CLEANUP', [0]])
  instance.advance(5_000)
  assert.deepEqual([job.state, allocated()], ['INACTIVE', [0]])
  const next = instance.submit({ nodes: 2, duration: 1 })
  instance.advance(19_999)
  assert.equal(next.state, 'SCHED')
  instance.advance(1)
  assert.deepEqual([next.state, allocated()], ['RUN', [0, 1]])
})

test('a job that never ran has no epilog and no housekeeping', () => {
  const { instance, allocated } = setUp({ commitMs: 100, epilogMs: 5_000, housekeepingMs: 20_000 })
  const job = instance.submit({ nodes: 1 })
  instance.cancel(job.id)
  assert.equal(job.state, 'INACTIVE')
  const next = instance.submit({ nodes: 2 })
  instance.advance(100)
  assert.deepEqual([next.state, allocated()], ['RUN', [0, 1]])
})
