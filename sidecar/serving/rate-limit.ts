// How often something may happen for each of many keys, such as the addresses of clients: a burst, and a rate for a long
// time. One that does it all the time leaves the others what they may.

/** What has happened lately for one key. */
interface Recent {
  /** How many times, less those that the time since has made up for. */
  count: number
  /** In milliseconds of `performance.now()`. */
  at: number
}

export interface Rate {
  /** How often at once. */
  readonly burst: number
  /** How often for a long time. */
  readonly perSecond: number
}

/** Clients may use many addresses (IPv6). New keys have to wait while as many have been at work lately. */
const MAX_KEYS = 10_000

export class RateLimit {
  readonly #rate: Rate
  readonly #recent = new Map<string, Recent>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** Whether it may happen for a key now. If so, it counts. */
  admit(key: string, now: number): boolean {
    const recent = this.#recent.get(key) ?? { count: 0, at: now }
    recent.count = this.#countAt(recent, now)
    recent.at = now
    if (recent.count + 1 > this.#rate.burst || !this.#hasRoomFor(key, now)) return false
    recent.count += 1
    this.#recent.set(key, recent)
    return true
  }

  /** Takes back what was admitted last for a key. */
  excuse(key: string): void {
    const recent = this.#recent.get(key)
    if (recent !== undefined) recent.count -= 1
  }

  /** Forgets the keys for which nothing has happened for long. */
  forgetOld(now: number): void {
    for (const [key, recent] of this.#recent) {
      if (this.#countAt(recent, now) === 0) this.#recent.delete(key)
    }
  }

  #hasRoomFor(key: string, now: number): boolean {
    if (this.#recent.size < MAX_KEYS || this.#recent.has(key)) return true
    this.forgetOld(now)
    return this.#recent.size < MAX_KEYS
  }

  #countAt({ count, at }: Recent, now: number): number {
    return Math.max(0, count - ((now - at) / 1000) * this.#rate.perSecond)
  }
}
