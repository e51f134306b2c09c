// How long to wait before trying again: exponential, with full jitter, so that clients do not return in step.

export interface BackoffOptions {
  /** The most that is waited after the first failure. */
  readonly firstMs: number
  /** The most that is waited at all: what is back is found within this. */
  readonly capMs: number
  /** Uniform in [0, 1). */
  readonly random?: (() => number) | undefined
}

/** Counts failures in a row. */
export class Backoff {
  readonly #options: BackoffOptions
  #failures = 0

  constructor(options: BackoffOptions) {
    this.#options = options
  }

  /** Milliseconds to wait after one more failure: uniform between 0 and a ceiling that doubles up to the cap. */
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
