// How fast new connections of one address may come. A handshake costs a millisecond of the event loop, and a refusal before
// it hardly anything: so one address that reconnects all the time cannot keep the others waiting.

/** The recent connections of one address. */
interface Recent {
  /** How many, less those that the time since has made up for. */
  count: number
  /** In milliseconds of `performance.now()`. */
  at: number
}

export interface ArrivalLimits {
  /** New connections that an address may open at once. */
  readonly burst: number
  /** New connections that it may open for a long time. */
  readonly perSecond: number
}

export class Arrivals {
  readonly #limits: ArrivalLimits
  readonly #recent = new Map<string, Recent>()

  constructor(limits: ArrivalLimits) {
    this.#limits = limits
  }

  /** Whether a new connection of an address may begin its handshake now. */
  admit(address: string, now: number): boolean {
    const recent = this.#recent.get(address) ?? { count: 0, at: now }
    recent.count = this.#countAt(recent, now)
    recent.at = now
    if (recent.count + 1 > this.#limits.burst) return false
    recent.count += 1
    this.#recent.set(address, recent)
    return true
  }

  /** Takes back a connection of an address: its client is known. */
  excuse(address: string): void {
    const recent = this.#recent.get(address)
    if (recent !== undefined) recent.count -= 1
  }

  /** Forgets the addresses that have opened none for long. */
  forgetOld(now: number): void {
    for (const [address, recent] of this.#recent) {
      if (this.#countAt(recent, now) === 0) this.#recent.delete(address)
    }
  }

  #countAt({ count, at }: Recent, now: number): number {
    return Math.max(0, count - ((now - at) / 1000) * this.#limits.perSecond)
  }
}
