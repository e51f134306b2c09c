// How often something may happen: a burst at once, and a rate for a long time. Waits for nothing, and knows no cause.

export interface BucketLimits {
  /** How often at once, and in all before time has passed. */
  readonly burst: number
  readonly perSecond: number
}

/** Holds `burst` tokens, and gets `perSecond` new ones. */
export class TokenBucket {
  readonly #limits: BucketLimits
  #tokens: number
  #at: number

  /** @param now milliseconds of a monotonic clock, as for the other calls */
  constructor(limits: BucketLimits, now: number) {
    this.#limits = limits
    this.#tokens = limits.burst
    this.#at = now
  }

  /** Takes one token. @returns whether there was one */
  take(now: number): boolean {
    const { burst, perSecond } = this.#limits
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#at) / 1000) * perSecond)
    this.#at = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** Gives back a part of a token that was taken: what it was taken for cost less. */
  giveBack(part: number): void {
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + part)
  }
}
