import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { sleep } from '#serving/waiting/sleep.ts'

test('sleep ends when the signal is aborted', async () => {
  const abort = new AbortController()
  const slept = sleep(3_600_000, abort.signal)
  abort.abort()
  await slept
})

test('sleep does not wait if the signal is already aborted', async () => {
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
