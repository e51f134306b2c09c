// Waiting for what a cluster does in its own time: by asking again until it is so, never by a fixed pause.
import { setTimeout as pause } from 'node:timers/promises'

/** Slow machines pull, start and probe slowly; a healthy run needs a fraction of this. */
const TIMEOUT_MS = 180_000
const INTERVAL_MS = 500

/**
 * Asks until the answer is something.
 *
 * @param what completes the sentence "Waited for …"
 * @param probe answers `undefined` for "not yet"; an exception is "not yet" as well, and told if time runs out
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (let last: unknown; ; await pause(INTERVAL_MS)) {
    try {
      const answer = await probe()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    if (Date.now() > end) {
      throw new Error(`Waited for ${what} in vain, ${timeoutMs / 1000} s`, { cause: last })
    }
  }
}

/** Asks until it holds. */
export async function holds(
  what: string,
  probe: () => Promise<boolean>,
  timeoutMs?: number,
): Promise<void> {
  await eventually(what, async () => ((await probe()) ? true : undefined), timeoutMs)
}
