// How long to wait before trying again: exponential, with full jitter, so that clients do not return in step.

const FIRST_MS = 100

/** A broker that is back is found within this. */
export const BACKOFF_CAP_MS = 5_000

/** Counts failures in a row. */
export class Backoff {
  readonly #random: () => number
  #failures = 0

  /** @param random uniform in [0, 1) */
  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** Milliseconds to wait after one more failure: uniform between 0 and a ceiling that doubles up to the cap. */
  next(): number {
    const ceiling = Math.min(BACKOFF_CAP_MS, FIRST_MS * 2 ** this.#failures)
    this.#failures += 1
    return Math.ceil(this.#random() * ceiling)
  }

  reset(): void {
    this.#failures = 0
  }
}
