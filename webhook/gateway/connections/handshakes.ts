// The handshakes with pods that have not proved yet whose sidecars they are. OpenSSL verifies every signature of a chain of
// certificates, however it ends: 70 of them, 92 KB, take half a second of the gateway if their keys were made for that. So a
// namespace has few of these handshakes at once, and none for minutes after long chains. Opens no connection.
import { Places } from '#serving/limits/places.ts'
import { RateLimit } from '#serving/limits/rate-limit.ts'
import type { Peer } from '../peers/peer.ts'
import { PeerFailure } from './peer-failure.ts'

/** Of a namespace. A handshake with a sidecar takes milliseconds. */
const AT_ONCE = 4

/** A sidecar sends less, with or without a certificate of ours. */
const SHORT_BYTES = 8 * 1024

/** Bytes of longer handshakes, of a namespace: 92 KB count for five minutes. */
const LONG_CHAINS = { burst: 16 * 1024, perSecond: 256 }

const REFUSED =
  'is not asked now: a pod of its namespace has sent a long chain of certificates, which no sidecar does; it is tried again within minutes'

export class Handshakes {
  readonly #clock: () => number
  readonly #longChains = new RateLimit(LONG_CHAINS)
  /** Of namespaces in which some are under way. */
  readonly #places = new Map<string, { readonly places: Places; count: number }>()

  /** @param clock milliseconds of a monotonic clock */
  constructor(clock: () => number) {
    this.#clock = clock
  }

  /**
   * Runs a handshake with a pod when its namespace has a place for it.
   *
   * @throws PeerFailure if the namespace has sent long chains
   */
  async run<Result>({ namespace }: Peer, shakeHands: () => Promise<Result>): Promise<Result> {
    const of = this.#places.get(namespace) ?? { places: new Places(AT_ONCE), count: 0 }
    this.#places.set(namespace, of)
    of.count += 1
    try {
      return await of.places.run(() => {
        if (this.#longChains.hasLeft(namespace, this.#clock())) return shakeHands()
        throw new PeerFailure('abandoned', REFUSED)
      })
    } finally {
      of.count -= 1
      if (of.count === 0) this.#places.delete(namespace)
    }
  }

  /** A pod has not proved who it is. @param bytes that it has sent */
  failed({ namespace }: Peer, bytes: number): void {
    const now = this.#clock()
    this.#longChains.forgetOld(now)
    if (bytes > SHORT_BYTES) this.#longChains.charge(namespace, bytes, now)
  }
}
