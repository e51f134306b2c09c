import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { BACKOFF_CAP_MS, Backoff } from '#collecting/backoff.ts'
import { sleep } from '#serving/sleep.ts'

test('Backoff doubles its ceiling up to the cap', () => {
  const backoff = new Backoff(() => 1)
  const waits = Array.from({ length: 9 }, () => backoff.next())
  assert.deepEqual(waits, [
    100,
    200,
    400,
    800,
    1600,
    3200,
    BACKOFF_CAP_MS,
    BACKOFF_CAP_MS,
    BACKOFF_CAP_MS,
  ])
})

test('Backoff spreads waits over the whole range down to 0', () => {
  const values = [0, 0.5]
  const backoff = new Backoff(() => values.shift() ?? 0)
  assert.deepEqual([backoff.next(), backoff.next()], [0, 100])
})

test('Backoff begins anew after a success', () => {
  const backoff = new Backoff(() => 1)
  backoff.next()
  backoff.next()
  backoff.reset()
  assert.equal(backoff.next(), 100)
})

test('sleep ends when the signal is aborted', async () => {
  const abort = new AbortController()
  const slept = sleep(3_600_000, abort.signal)
  abort.abort()
  await slept
})

test('sleep does not begin under an aborted signal', async () => {
  await sleep(3_600_000, AbortSignal.abort())
})

test('sleep leaves no listener behind, however it ends', async () => {
  const abort = new AbortController()
  for (let waits = 0; waits < 100; waits += 1) await sleep(1, abort.signal)
  assert.deepEqual(getEventListeners(abort.signal, 'abort'), [])
  const slept = sleep(3_600_000, abort.signal)
  abort.abort()
  await slept
  assert.deepEqual(getEventListeners(abort.signal, 'abort'), [])
})
