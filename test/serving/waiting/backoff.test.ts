import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff } from '#serving/waiting/backoff.ts'

test('Backoff doubles its ceiling up to the cap', () => {
  const backoff = new Backoff({ firstMs: 100, capMs: 5_000, random: () => 1 })
  const waits = Array.from({ length: 9 }, () => backoff.next())
  assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 5_000, 5_000, 5_000])
})

test('Backoff spreads the waits from 0 to the ceiling', () => {
  const values = [0, 0.5]
  const backoff = new Backoff({ firstMs: 100, capMs: 5_000, random: () => values.shift() ?? 0 })
  assert.deepEqual([backoff.next(), backoff.next()], [0, 100])
})

test('Backoff starts again at the first ceiling after a success', () => {
  const backoff = new Backoff({ firstMs: 100, capMs: 5_000, random: () => 1 })
  backoff.next()
  backoff.next()
  backoff.reset()
  assert.equal(backoff.next(), 100)
})
