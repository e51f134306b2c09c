// The pods that could not prove to be the sidecar they say to be, such as copies with its labels. They are not asked for a while,
// and the log says so.
import { RecentMap } from '#serving/limits/recent-map.ts'
import { TokenBucket } from '#serving/limits/token-bucket.ts'
import type { Logger } from '#serving/log.ts'
import { placeOf } from '../connections/peer-failure.ts'
import type { Peer } from '../peers/peer.ts'

/** The certificate of a new sidecar comes a second or so after its address. Each dismissal is twice as long as the one before. */
const FIRST_MS = 500
const LONGEST_MS = 30_000

const MAX_DISMISSALS = 4_096

/** Users can create any number of such pods, and must not fill the log. */
const LOG_RATE = { burst: 20, perSecond: 0.2 }

interface Dismissal {
  readonly why: string
  readonly isUncertified: boolean
  readonly ms: number
  readonly until: number
}

export class Dismissals {
  readonly #clock: () => number
  readonly #log: Logger
  readonly #lines: TokenBucket
  #known = new RecentMap<string, Dismissal>(MAX_DISMISSALS)

  constructor({ clock, log }: { readonly clock: () => number; readonly log: Logger }) {
    this.#clock = clock
    this.#log = log
    this.#lines = new TokenBucket(LOG_RATE, clock())
  }

  /** Why a pod is not asked now. */
  whyNot(peer: Peer): string | undefined {
    return this.#find(peer)?.why
  }

  /**
   * The newest pod that may be asked; `undefined` if there is none.
   *
   * A newer one that nobody has certified may be the sidecar of a new MiniCluster, before it has its certificate. So it hides the
   * older ones of another Job: they may be of the former MiniCluster of that name, and their numbers are wrong.
   *
   * @param peers the newest first
   */
  choose(peers: readonly Peer[]): Peer | undefined {
    const uncertified = new Set<string>()
    for (const peer of peers) {
      const dismissal = this.#find(peer)
      if (dismissal === undefined)
        return [...uncertified].every((job) => job === peer.job) ? peer : undefined
      if (dismissal.isUncertified) uncertified.add(peer.job)
    }
    return undefined
  }

  #find(peer: Peer): Dismissal | undefined {
    const dismissal = this.#known.get(keyOf(peer))
    const isOver = dismissal === undefined || dismissal.until <= this.#clock()
    return isOver ? undefined : dismissal
  }

  add(peer: Peer, why: string, { isUncertified = false } = {}): void {
    const key = keyOf(peer)
    const last = this.#known.get(key)
    const now = this.#clock()
    const ms = last === undefined ? FIRST_MS : Math.min(2 * last.ms, LONGEST_MS)
    // Who comes back later begins anew.
    this.#known.deleteOver(({ until }) => until + LONGEST_MS <= now)
    this.#known.set(key, { why, isUncertified, ms, until: now + ms })
    if (last?.why === why || !this.#lines.take(now)) return
    const { namespace, minicluster, pod } = peer
    this.#log.warn({ namespace, minicluster, pod, why }, 'a pod is not the sidecar it says to be')
  }

  /** Gives every pod another chance: the CA is another one. */
  forget(): void {
    this.#known = new RecentMap(MAX_DISMISSALS)
  }
}

function keyOf(peer: Peer): string {
  return `${peer.uid} ${placeOf(peer)}`
}
