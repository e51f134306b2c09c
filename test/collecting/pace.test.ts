import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Course, DEFAULT_PACE, waitingTime } from '#collecting/pace.ts'

const COURSE: Course = { tookMs: 1, tookBeforeMs: 1, streaming: true }

function waitAfter(course: Partial<Course>): readonly [number, number] {
  return waitingTime(DEFAULT_PACE, { ...COURSE, ...course })
}

test('waitingTime is short after a change, and not long without one', () => {
  assert.deepEqual(waitAfter({}), [250, 10_000])
  assert.deepEqual(waitAfter({ streaming: false }), [250, 2_000])
})

test('waitingTime is twenty times what a reading takes', () => {
  assert.deepEqual(waitAfter({ tookMs: 100, tookBeforeMs: 100 }), [2_000, 10_000])
  assert.deepEqual(waitAfter({ tookMs: 200, streaming: false }), [4_000, 4_000])
  assert.deepEqual(waitAfter({ tookMs: 1_000, tookBeforeMs: 1_200 }), [20_000, 20_000])
})

test('waitingTime after one slow reading is what is usual, so that what it told does not get too old', () => {
  assert.deepEqual(waitAfter({ tookMs: 9_000, tookBeforeMs: 60 }), [10_000, 10_000])
  assert.deepEqual(waitAfter({ tookMs: 9_000, tookBeforeMs: 0 }), [10_000, 10_000])
  assert.deepEqual(waitAfter({ tookMs: 9_000, tookBeforeMs: 600 }), [12_000, 12_000])
})

test('readings that go on being slow get 5 % of the time, whatever they take', () => {
  const durations = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 50 })
  fc.assert(
    fc.property(durations, (tooks) => {
      // As slow as this at least, one after the other: what is above it may be the wait for other work.
      const least = Math.min(...tooks)
      for (const [index, tookMs] of tooks.entries()) {
        const [minMs, maxMs] = waitAfter({ tookMs, tookBeforeMs: tooks[index - 1] ?? least })
        assert.ok(minMs >= 20 * least)
        assert.ok(maxMs >= minMs)
      }
    }),
  )
})
