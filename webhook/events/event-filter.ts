// How many Events may be written: client-go's limit for each object (tools/record, EventSourceObjectSpamFilter), and one for
// all together. It knows no texts.
import { RecentMap } from '#serving/limits/recent-map.ts'
import { TokenBucket } from '#serving/limits/token-bucket.ts'

/** client-go's figures: 25 at once about one object, then one in 5 minutes. */
const PER_OBJECT = { burst: 25, perSecond: 1 / 300 }

/** client-go's figure. An object that is forgotten here may have a new burst, but not a new share of all. */
const MAX_OBJECTS = 4096

/**
 * A start of some hundred MiniClusters at once writes all its Events. After it, the rate is that of a controller of
 * Kubernetes itself, so that other writers of Events are not slowed down.
 */
const ALL = { burst: 500, perSecond: 10 }

export class EventFilter {
  readonly #objects = new RecentMap<string, TokenBucket>(MAX_OBJECTS)
  readonly #all: TokenBucket

  /** @param now milliseconds of a monotonic clock, as for {@link admit} */
  constructor(now: number) {
    this.#all = new TokenBucket(ALL, now)
  }

  /** Whether one more Event about an object may be written now. */
  admit(uid: string, now: number): boolean {
    const bucket = this.#objects.get(uid) ?? new TokenBucket(PER_OBJECT, now)
    this.#objects.set(uid, bucket)
    // An Event over the limit of its object takes nothing from the others.
    return bucket.take(now) && this.#all.take(now)
  }
}
