import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  isOld,
  secondsBetween,
} from '../../../../../../webhook/cli/dashboard/page/browser/moment.ts'

test('a machine that was asleep counts the time by the clock on the wall', () => {
  const from = { steady: 1_000, wall: 1_000 }
  assert.equal(secondsBetween(from, { steady: 2_000, wall: 3_601_000 }), 3_600)
})

test('a clock that is set back makes nothing younger', () => {
  const from = { steady: 1_000, wall: 9_000_000 }
  assert.equal(secondsBetween(from, { steady: 41_000, wall: 0 }), 40)
})

test('the age that a reading had when it came counts, too', () => {
  assert.deepEqual([isOld(30), isOld(31), isOld(15, 14), isOld(17, 14)], [false, true, false, true])
})

test('a reading that was old when it came is shown until the next answer is due', () => {
  assert.deepEqual([isOld(9, 55), isOld(11, 55)], [false, true])
})
