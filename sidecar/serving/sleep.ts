// A wait that can be ended.
import { setTimeout } from 'node:timers/promises'

/** Waits, but not longer than until `signal` is aborted; never rejects. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return
  // The only error is the abort.
  await setTimeout(ms, undefined, { signal }).catch(() => {})
}
