// Waits for events in a cluster: asks again until they have happened, never with a fixed pause.
// By a clock that never jumps: a machine that was paused, or set its time, has not waited.
import { setTimeout as pause } from 'node:timers/promises'

/** A healthy run needs a fraction of this. Slow machines pull, start and probe slowly. */
const TIMEOUT_MS = 180_000
const INTERVAL_MS = 500

/**
 * Asks until there is an answer.
 *
 * @param what completes the sentence "Waited for …"
 * @param probe returns `undefined` for "not yet"; an exception also means "not yet", and is the cause if time runs out
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<T> {
  const end = performance.now() + timeoutMs
  for (let last: unknown; ; await pause(INTERVAL_MS)) {
    try {
      const answer = await probe()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    if (performance.now() > end) {
      throw new Error(`Waited for ${what}: not within ${timeoutMs / 1000} s`, { cause: last })
    }
  }
}

/** Asks until the answer is the expected one. If time runs out, the cause says what it was last. */
export async function becomes<T extends string | number | undefined>(
  what: string,
  expected: T,
  probe: () => Promise<T>,
): Promise<void> {
  await holds(`${what} ${expected}`, async () => {
    const last = await probe()
    if (last !== expected) throw new Error(`It is ${last}`)
    return true
  })
}

/** Asks until the answer is true. */
export async function holds(
  what: string,
  probe: () => Promise<boolean>,
  timeoutMs?: number,
): Promise<void> {
  await eventually(what, async () => ((await probe()) ? true : undefined), timeoutMs)
}
