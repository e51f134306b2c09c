// How often something may happen: a burst at once, and a rate for a long time. Waits for nothing, and knows no cause.

export interface Rate {
  /** How often at once, and in all before time has passed. */
  readonly burst: number
  readonly perSecond: number
}

/** Holds `burst` tokens, and gets `perSecond` new ones. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #at: number

  /** @param now milliseconds of a monotonic clock, as for the other calls */
  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** Takes one token. @returns whether there was one */
  take(now: number): boolean {
    if (!this.has(now)) return false
    this.#tokens -= 1
    return true
  }

  /** Whether there is a token. */
  has(now: number): boolean {
    this.#refill(now)
    return this.#tokens >= 1
  }

  /** Takes what something has cost, even more than there is: time makes up for the debt first. */
  charge(cost: number, now: number): void {
    this.#refill(now)
    this.#tokens -= cost
  }

  /** Gives back a part of a token that was taken: what it was taken for cost less. */
  giveBack(part: number): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + part)
  }

  /** Whether nothing is left of what has happened: a new bucket would be the same. */
  isFull(now: number): boolean {
    this.#refill(now)
    return this.#tokens === this.#rate.burst
  }

  #refill(now: number): void {
    const { burst, perSecond } = this.#rate
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond)
    this.#at = now
  }
}
