// Waits for something that a test has caused elsewhere, such as a change that a watch shows.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until it is true, for seconds at most. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 10_000; !isTrue(); await sleep(5)) {
    if (performance.now() > end) assert.fail(`not in time: ${what}`)
  }
}
