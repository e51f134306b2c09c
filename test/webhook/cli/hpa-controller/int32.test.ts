import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addInt32, MAX_REPLICAS, toInt32 } from '../../../../webhook/cli/hpa-controller/int32.ts'

for (const [value, whole] of [
  [0, 0],
  [-0, 0],
  [-0.5, 0],
  [2.9, 2],
  [-2.9, -2],
  [2 ** 31 - 1, 2 ** 31 - 1],
  [2 ** 31 - 0.5, 2 ** 31 - 1],
  [2 ** 31, -(2 ** 31)],
  [9.2e15, -(2 ** 31)],
  [-9.2e15, -(2 ** 31)],
  [Number.POSITIVE_INFINITY, -(2 ** 31)],
  [Number.NaN, -(2 ** 31)],
] as const) {
  test(`toInt32 converts ${value} to ${whole}`, () => {
    assert.equal(toInt32(value), whole)
  })
}

test('addInt32 wraps around', () => {
  assert.equal(addInt32(MAX_REPLICAS, 1), -(2 ** 31))
  assert.equal(addInt32(2, -5), -3)
})
