// How many look-ups reviews may cause. Anyone who reaches the webhook can send reviews; only the API server's lead to Jobs that
// exist. So a look-up that finds its Job costs little, and a namespace where one did is not held up by strangers.
import { RecentMap } from '#serving/recent-map.ts'
import { shorten } from '#serving/text.ts'
import { TokenBucket } from '#serving/token-bucket.ts'

/** All namespaces together in which no Job was found yet. */
const STRANGERS = { burst: 200, perSecond: 25 }

/**
 * Each other namespace. 500 reviews a second that find their Jobs, and 300 that wait for a slow API server: more than a
 * cluster makes pods in.
 */
const KNOWN = { burst: 300, perSecond: 50 }

/** The part of a token that a look-up gets back when it finds its Job. */
const REBATE = 0.9

const MAX_NAMESPACES = 4096

/** A look-up that is not made. */
export class TooManyLookUps extends Error {
  constructor(namespace: string) {
    super(`Too many look-ups for namespace "${shorten(namespace)}" found nothing`)
    this.name = 'TooManyLookUps'
  }
}

/** A look-up that may be made. */
export interface Allowance {
  /** It led to a Job that exists. */
  found(): void
}

export class LookUpQuota {
  readonly #known = new RecentMap<string, TokenBucket>(MAX_NAMESPACES)
  readonly #strangers = new TokenBucket(STRANGERS, performance.now())

  /** @returns `undefined` if there were too many */
  take(namespace: string): Allowance | undefined {
    const bucket = this.#known.get(namespace) ?? this.#strangers
    if (!bucket.take(performance.now())) return undefined
    return {
      found: () => {
        bucket.giveBack(REBATE)
        if (this.#known.get(namespace) === undefined) {
          this.#known.set(namespace, new TokenBucket(KNOWN, performance.now()))
        }
      },
    }
  }
}
