// How many new connections a server takes, before anything is spent on their handshakes: of one address, and of all together.
// Whoever opens few is let in however many others come; so is the address of a known client.
import { RateLimit } from '../limits/rate-limit.ts'
import { RecentMap } from '../limits/recent-map.ts'
import { type Rate, TokenBucket } from '../limits/token-bucket.ts'

export interface ArrivalLimits {
  /** Of one address. */
  readonly peer: Rate
  /** Of an address of a known client, until their handshakes are complete: an API server opens many at once. Default: as of any. */
  readonly known?: Rate
  /** Of one address, whatever others do: more than a kubelet or Prometheus needs. */
  readonly reserved: Rate
  /** Of all strangers together, beyond what is reserved for each. */
  readonly shared: Rate
  /**
   * Bytes of handshakes with certificates that nobody knows, of one address. OpenSSL verifies each signature of a chain, however it
   * ends: 70 certificates, 92 KB, take half a second of the event loop if their keys were made for that.
   */
  readonly unknownCertificates: Rate
}

/** API servers and replicas of the gateway. */
const MAX_KNOWN = 64

export class Arrivals {
  readonly #peers: RateLimit
  /** Of the addresses of known clients, in place of it. */
  readonly #knownPeers: RateLimit
  readonly #reserved: RateLimit
  readonly #shared: TokenBucket
  readonly #limits: ArrivalLimits
  #unknownCertificates: RateLimit
  readonly #known = new RecentMap<string, true>(MAX_KNOWN)

  /** @param now milliseconds of a monotonic clock, as for the other calls */
  constructor(limits: ArrivalLimits, now: number) {
    const { peer, known = peer, reserved, shared, unknownCertificates } = limits
    this.#limits = limits
    this.#peers = new RateLimit(peer)
    this.#knownPeers = new RateLimit(known)
    this.#reserved = new RateLimit(reserved)
    this.#shared = new TokenBucket(shared, now)
    this.#unknownCertificates = new RateLimit(unknownCertificates)
  }

  /** Whether a new connection of an address may begin its handshake. If so, it counts. */
  admit(address: string, now: number): boolean {
    if (this.isKnown(address)) return this.#knownPeers.admit(address, now)
    if (!this.#peers.admit(address, now)) return false
    if (!this.#unknownCertificates.hasLeft(address, now)) return false
    return this.#reserved.admit(address, now) || this.#shared.take(now)
  }

  isKnown(address: string): boolean {
    return this.#known.get(address) === true
  }

  /** The last connection of an address was of a known client: it does not count, and later ones come first. */
  know(address: string): void {
    if (this.isKnown(address)) this.#knownPeers.excuse(address)
    else this.#peers.excuse(address)
    this.#known.set(address, true)
  }

  /**
   * A handshake of an address had a certificate that nobody knows, and this length.
   *
   * @returns whether the address may open more
   */
  charge(address: string, bytes: number, now: number): boolean {
    this.#unknownCertificates.charge(address, bytes, now)
    return this.isKnown(address) || this.#unknownCertificates.hasLeft(address, now)
  }

  /** What was unknown may be known from now on. The addresses of known clients stay: these come back all at once. */
  forgive(): void {
    this.#unknownCertificates = new RateLimit(this.#limits.unknownCertificates)
  }

  /** Forgets the addresses that have opened nothing for long. */
  forgetOld(now: number): void {
    this.#peers.forgetOld(now)
    this.#knownPeers.forgetOld(now)
    this.#reserved.forgetOld(now)
    this.#unknownCertificates.forgetOld(now)
  }
}
