// A wait that a signal can end early.
import { setTimeout } from 'node:timers/promises'

/** Waits, at most until `signal` is aborted. Never rejects. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted || ms <= 0) return
  // The only error is the abort.
  await setTimeout(ms, undefined, { signal }).catch(() => {})
}
