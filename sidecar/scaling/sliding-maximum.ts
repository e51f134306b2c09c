// The largest of the values that were added within a time.
export class SlidingMaximum {
  readonly #windowMs: number
  /** Values that are or may become the largest: each is smaller and later than the one before. */
  #candidates: { readonly at: number; readonly value: number }[] = []

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Adds a value, and returns the largest. */
  add(at: number, value: number): number {
    const alive = this.#candidates.filter(
      (one) => one.at > at - this.#windowMs && one.value > value,
    )
    this.#candidates = [...alive, { at, value }]
    return this.#candidates[0]?.value ?? value
  }
}
