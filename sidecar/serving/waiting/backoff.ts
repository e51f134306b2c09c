// How long to wait before the next attempt: an exponential back-off with full jitter, so that clients do not retry at
// the same time. Waits for nothing itself.

export interface BackoffOptions {
  /** The longest wait after the first failure. */
  readonly firstMs: number
  /** The longest wait of all: a recovery is noticed within this time. */
  readonly capMs: number
  /** Uniform in [0, 1). */
  readonly random?: (() => number) | undefined
}

/** The back-off of one task: counts its failures in a row. */
export class Backoff {
  readonly #options: BackoffOptions
  #failures = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** Milliseconds to wait after one more failure: uniform between 0 and a ceiling that doubles up to `capMs`. */
  next(): number {
    const { firstMs, capMs, random = Math.random } = this.#options
    const ceiling = Math.min(capMs, firstMs * 2 ** this.#failures)
    this.#failures += 1
    return Math.ceil(random() * ceiling)
  }

  reset(): void {
    this.#failures = 0
  }
}
