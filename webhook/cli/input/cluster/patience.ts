// How long a command waits for whom it asks: one rule for all of them, because neither kubectl nor a socket gives up by itself.

/** An API server answers in far less; the user may have to log in meanwhile. */
const FIRST_SECONDS = 30

/** Of an answer that takes the place of one that is shown: what is on the screen must not become old. */
export const NEXT_SECONDS = 10

export interface Patience {
  /** @default 30 */
  readonly seconds?: number | undefined
  /** Ends the wait before. */
  readonly stop?: AbortSignal | undefined
}

/** `in 30 s` */
export function spellPatience({ seconds = FIRST_SECONDS }: Patience): string {
  return `in ${seconds} s`
}

/**
 * Several questions, one after the other, have one time.
 *
 * @returns the seconds that are left for the next one, at least one
 */
export function sharedSeconds(seconds: number): () => number {
  const end = performance.now() + seconds * 1000
  return () => Math.max(1, Math.ceil((end - performance.now()) / 1000))
}

/** Does something that ends with its signal: when the time is over, or at a stop. */
export async function within<T>(
  { seconds = FIRST_SECONDS, stop }: Patience,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const timer = setTimeout(abort, seconds * 1000)
  if (stop?.aborted === true) abort()
  else stop?.addEventListener('abort', abort)
  try {
    return await act(controller.signal)
  } finally {
    clearTimeout(timer)
    stop?.removeEventListener('abort', abort)
  }
}
