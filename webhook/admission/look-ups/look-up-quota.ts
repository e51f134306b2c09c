// How many look-ups reviews may cause. Anyone who reaches the webhook can send reviews; only the API server's lead to Jobs that
// exist. So a look-up that finds its Job costs little, and a namespace where one did is not held up by strangers.
import { RecentMap } from '#serving/limits/recent-map.ts'
import { TokenBucket } from '#serving/limits/token-bucket.ts'
import { shorten } from '#serving/text.ts'

/** All namespaces together in which no Job was found yet. */
const STRANGERS = { burst: 200, perSecond: 25 }

/** Each of them: a user who makes pods of Jobs that do not exist leaves most of it to the other namespaces. */
const STRANGER = { burst: 100, perSecond: 5 }

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
  readonly #ofStranger = new RecentMap<string, TokenBucket>(MAX_NAMESPACES)

  /** @returns `undefined` if there were too many */
  take(namespace: string): Allowance | undefined {
    const known = this.#known.get(namespace)
    const buckets = known === undefined ? [this.#stranger(namespace), this.#strangers] : [known]
    const now = performance.now()
    // What its own bucket refuses takes nothing of the common one.
    if (!buckets.every((bucket) => bucket.take(now))) return undefined
    return {
      found: () => {
        for (const bucket of buckets) bucket.giveBack(REBATE)
        if (this.#known.get(namespace) === undefined) {
          this.#known.set(namespace, new TokenBucket(KNOWN, performance.now()))
        }
      },
    }
  }
  #stranger(namespace: string): TokenBucket {
    const bucket = this.#ofStranger.get(namespace) ?? new TokenBucket(STRANGER, performance.now())
    this.#ofStranger.set(namespace, bucket)
    return bucket
  }
}
