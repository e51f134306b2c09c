import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_PACE, type ReadingCost, waitingTime } from '#collecting/pace.ts'

const QUICK: ReadingCost = { tookMs: 1, followedMs: 0, tookBeforeMs: 1, streaming: true }

function waitAfter(changes: Partial<ReadingCost>): readonly [number, number] {
  return waitingTime(DEFAULT_PACE, { ...QUICK, ...changes })
}

test('waitingTime is short after a change, and limited without one', () => {
  assert.deepEqual(waitAfter({}), [250, 10_000])
  assert.deepEqual(waitAfter({ streaming: false }), [250, 2_000])
})

test('waitingTime is twenty times the duration of a reading', () => {
  assert.deepEqual(waitAfter({ tookMs: 100, tookBeforeMs: 100 }), [2_000, 10_000])
  assert.deepEqual(waitAfter({ tookMs: 200, streaming: false }), [4_000, 4_000])
  assert.deepEqual(waitAfter({ tookMs: 1_000, tookBeforeMs: 1_200 }), [20_000, 20_000])
})

test('waitingTime counts what follows from a reading as a part of it', () => {
  for (const [tookMs, followedMs] of [
    [50, 150],
    [1_000, 9_000],
  ] as const) {
    const together = waitAfter({ tookMs: tookMs + followedMs, tookBeforeMs: 200 })
    assert.deepEqual(waitAfter({ tookMs, followedMs, tookBeforeMs: 200 }), together)
  }
})

test('waitingTime after one slow reading is the usual time, so that the snapshot does not get too old', () => {
  assert.deepEqual(waitAfter({ tookMs: 9_000, tookBeforeMs: 60 }), [10_000, 10_000])
  assert.deepEqual(waitAfter({ tookMs: 9_000, tookBeforeMs: 0 }), [10_000, 10_000])
  assert.deepEqual(waitAfter({ tookMs: 9_000, tookBeforeMs: 600 }), [12_000, 12_000])
})

test('readings that stay slow take 5 % of the time, however long they are, unless the snapshot gets too old', () => {
  const durations = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 2, maxLength: 50 })
  fc.assert(
    fc.property(durations, (tooks) => {
      // Every reading is at least this slow. A longer one may have waited for other work of the broker.
      const least = Math.min(...tooks)
      for (const [index, tookMs] of tooks.entries()) {
        const [minMs, maxMs] = waitAfter({ tookMs, tookBeforeMs: tooks[index - 1] ?? least })
        assert.ok(minMs >= Math.min(20 * least, 30_000 - 2 * tookMs - 1_000))
        assert.ok(maxMs >= minMs)
        assert.ok(maxMs <= 30_000 - tookMs)
      }
    }),
  )
})

test('slow readings follow each other so that what we know is always young enough', () => {
  for (const tookMs of [1, 500, 1_400, 3_000, 6_000, 9_000]) {
    for (const streaming of [false, true]) {
      const [, maxMs] = waitAfter({ tookMs, tookBeforeMs: tookMs, streaming })
      assert.ok(tookMs + maxMs + tookMs <= 29_000, `${tookMs} ms a reading`)
      assert.ok(maxMs >= tookMs, 'the broker has half of the time')
    }
  }
})

test('readings that cannot be young enough leave the broker half of the time and more', () => {
  assert.deepEqual(waitAfter({ tookMs: 12_000, tookBeforeMs: 12_000 }), [18_000, 18_000])
})

test('a shorter age makes readings more frequent', () => {
  const pace = { ...DEFAULT_PACE, maxAgeMs: 5_000 }
  assert.deepEqual(waitingTime(pace, { ...QUICK, tookMs: 100, tookBeforeMs: 100 }), [2_000, 3_800])
})
