import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, type Point } from './slope.ts'

/** Pseudo-random numbers in [-1, 1), the same at every run. */
function noiseOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 30 - 1
  }
}

function series(valueAt: (index: number) => number): Point[] {
  return Array.from({ length: 30 }, (_, index) => ({ work: index * 1_000, value: valueAt(index) }))
}

test('a constant figure does not leak', () => {
  const { growth, noise, leaks } = judge(
    series(() => 4),
    0,
  )
  assert.deepEqual([growth, noise, leaks], [0, 0, false])
})

test('one listener more with each sample is a leak', () => {
  const { growth, leaks } = judge(
    series((index) => 10 + index),
    8,
  )
  assert.deepEqual([Math.round(growth), leaks], [17, true])
})

test('a heap that rises by 200 bytes for each unit of work leaks, within a noise of 1 MiB', () => {
  const random = noiseOf(1)
  const leaking = series((index) => 20 + (200 * index * 1_000) / 2 ** 20 + random() / 2)
  assert.equal(judge(leaking, 1).leaks, true)
})

test('noise alone is no leak, however it falls', () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = noiseOf(seed)
    assert.equal(
      judge(
        series(() => 20 + random() / 2),
        1,
      ).leaks,
      false,
    )
  }
})

test('growth in the warm-up is no leak', () => {
  assert.equal(
    judge(
      series((index) => Math.min(index, 11)),
      0.5,
    ).leaks,
    false,
  )
})

test('a figure that falls does not leak', () => {
  assert.equal(
    judge(
      series((index) => 100 - index),
      0,
    ).leaks,
    false,
  )
})

test('too few samples are an error, not a pass', () => {
  assert.throws(() => judge(series(() => 1).slice(0, 5), 0), /Cannot judge 3 samples/)
})
