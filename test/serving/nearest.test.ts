import assert from 'node:assert/strict'
import { test } from 'node:test'
import { METRICS } from '#metrics/catalog.ts'
import { nearestNames } from '#serving/nearest.ts'

const known = [...METRICS.keys()]

for (const [name, nearest] of [
  ['node_up_cout', 'node_up_count'],
  ['nodes_up_count', 'node_up_count'],
  ['job_queue_state_sched', 'job_queue_state_sched_count'],
  ['job-active-count', 'job_active_count'],
  ['NODE_up_count', 'node_up_count'],
] as const) {
  test(`nearestNames offers ${nearest} first for ${name}`, () => {
    assert.equal(nearestNames(name, known)[0], nearest)
  })
}

test('nearestNames takes swapped neighbours for one mistake', () => {
  assert.deepEqual(nearestNames('drian', ['drain', 'enabled']), ['drain'])
  assert.deepEqual(nearestNames('ab', ['ba']), ['ba'])
})

test('nearestNames offers at most three names', () => {
  assert.deepEqual(nearestNames('abx', ['abc', 'abd', 'abe', 'abf']), ['abc', 'abd', 'abe'])
})

test('nearestNames leaves out names that differ much more than the nearest one', () => {
  assert.deepEqual(nearestNames('job_activ_count', known), ['job_active_count'])
})

for (const name of ['', 'x', 'cpu_usage', 'x'.repeat(65), 'node_up_count'.repeat(1000)]) {
  test(`nearestNames offers nothing for a name of ${name.length} characters that is like no known name`, () => {
    assert.deepEqual(nearestNames(name, known), [])
  })
}
