// How many lead brokers may be looked at closely in one pass, so that a pass does not burden the API server.

/** Each takes three readings: some five a second until the next pass. */
const MAX = 500

/** So that one namespace does not hold up the others. */
const MAX_OF_NAMESPACE = 200

export class Budget {
  #left = MAX
  readonly #ofNamespace = new Map<string, number>()

  /** @returns whether one more may be looked at */
  take(namespace: string): boolean {
    const taken = this.#ofNamespace.get(namespace) ?? 0
    if (this.#left === 0 || taken === MAX_OF_NAMESPACE) return false
    this.#left -= 1
    this.#ofNamespace.set(namespace, taken + 1)
    return true
  }
}
