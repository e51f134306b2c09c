// How often something may happen for each of many keys, such as the addresses of clients: each has a bucket of its own. One that
// does it all the time leaves the others what they may.
import { type Rate, TokenBucket } from './token-bucket.ts'

/** Clients may use many addresses (IPv6). New keys have to wait while as many have been at work lately. */
const MAX_KEYS = 10_000

export class RateLimit {
  readonly #rate: Rate
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** Whether it may happen for a key now. If so, it counts. */
  admit(key: string, now: number): boolean {
    const bucket = this.#buckets.get(key)
    if (bucket !== undefined) return bucket.take(now)
    if (!this.#hasRoom(now)) return false
    const first = new TokenBucket(this.#rate, now)
    this.#buckets.set(key, first)
    return first.take(now)
  }

  /** Whether anything is left for a key. Does not count. */
  hasLeft(key: string, now: number): boolean {
    return this.#buckets.get(key)?.has(now) ?? true
  }

  /** Counts what has happened for a key, whatever it has cost. */
  charge(key: string, cost: number, now: number): void {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#rate, now)
    if (!this.#buckets.has(key) && !this.#hasRoom(now)) return
    bucket.charge(cost, now)
    this.#buckets.set(key, bucket)
  }

  /** Takes back what was admitted last for a key. */
  excuse(key: string): void {
    this.#buckets.get(key)?.giveBack(1)
  }

  /** Forgets the keys for which nothing has happened for long. */
  forgetOld(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.isFull(now)) this.#buckets.delete(key)
    }
  }

  #hasRoom(now: number): boolean {
    if (this.#buckets.size >= MAX_KEYS) this.forgetOld(now)
    return this.#buckets.size < MAX_KEYS
  }
}
