// How many tokens the API server is asked to review: anybody may show us one, and each costs it a call in our name. Each address
// has a rate of its own. Those that have shown a good token lately share one rate, all others another one, so that a flood
// of strangers holds up no sidecar that renews its certificate.
import { RateLimit } from '#serving/limits/rate-limit.ts'

/** A sidecar asks every few minutes, and after a failure again in 5 to 30 s. Sidecars of one node's network share an address. */
const PEER = { burst: 20, perSecond: 1 }

/** Enough for the new pods of a large cluster: 100 at once, 600 a minute. */
const STRANGERS = { burst: 100, perSecond: 10 }

/** Enough for 6,000 sidecars, which ask every 150 to 300 s. */
const KNOWN = { burst: 200, perSecond: 40 }

/** Longer than the pause of a sidecar between two requests. */
const KNOWN_MS = 15 * 60_000

const MAX_KNOWN = 10_000

export class TokenReviews {
  readonly #peers = new RateLimit(PEER)
  readonly #groups = { known: new RateLimit(KNOWN), strangers: new RateLimit(STRANGERS) }
  /** When each address has shown a good token last, the oldest first. */
  readonly #known = new Map<string, number>()

  /** Whether a token that an address shows may be reviewed now. If so, it counts. */
  admit(address: string, now: number): boolean {
    const knownAt = this.#known.get(address)
    const group = knownAt !== undefined && now - knownAt < KNOWN_MS ? 'known' : 'strangers'
    return this.#peers.admit(address, now) && this.#groups[group].admit(group, now)
  }

  /** An address has shown the token of a lead broker. */
  remember(address: string, now: number): void {
    this.#known.delete(address)
    this.#known.set(address, now)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
  }
}
