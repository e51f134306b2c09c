// Ticks are round numbers, from short to long axes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTicks, timeTicks } from '../../../../../webhook/cli/simulate/drawing/axis.ts'

const MINUTE = 60_000

test('ticks of time are whole seconds, minutes or hours', () => {
  const minutes = (endMs: number) => timeTicks(endMs, 8).map((atMs) => atMs / MINUTE)
  assert.deepEqual(minutes(75 * MINUTE), [0, 10, 20, 30, 40, 50, 60, 70])
  assert.deepEqual(minutes(8 * 60 * MINUTE), [0, 60, 120, 180, 240, 300, 360, 420, 480])
  assert.deepEqual(timeTicks(9_000, 8), [0, 2_000, 4_000, 6_000, 8_000])
  assert.deepEqual(timeTicks(30 * 86_400_000, 8).length, 31)
})

test('ticks of a count are round', () => {
  assert.deepEqual(countTicks(16, 4), [0, 5, 10, 15])
  assert.deepEqual(countTicks(4, 4), [0, 1, 2, 3, 4])
  assert.deepEqual(countTicks(10_000, 4), [0, 5_000, 10_000])
  assert.deepEqual(countTicks(1, 4), [0, 1])
})
