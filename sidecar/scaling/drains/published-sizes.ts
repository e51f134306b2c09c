// The sizes that were published, when each was read last, and for how long an HPA may still act on one of them.
//
// One HPA works in turns: it reads a size, sets `spec.size`, and only then reads again. It never ends a pod whose index is
// below the size that it read in the same turn: a stabilization window takes the largest size of the window, a policy allows
// a part of the step, and both end fewer pods, not more. So the pod of a rank is in danger only from turns in which a size
// up to the rank was read. We see every reading, because we answer it. Who reads a small size may be an HPA, by way of an adapter.
// But only a reading by the HPA controller itself proves that a turn is over, or that sizes are read here and nowhere else.

/** Who was given a size: the HPA controller, which begins a turn with it, or somebody else. */
export type Reader = 'hpa' | 'other'

/**
 * From a reading of a size until the pods that it ends are being ended. An HPA reads again 15 s later, and the pods that it
 * makes then are not to find themselves drained.
 */
export const DECISION_MS = 14_000

/**
 * From a pod being ended until its rank is down: its grace (30 s), in which its rank is up and may be given jobs, and the time
 * in which Flux finds out that its broker is gone.
 */
export const GONE_MS = 46_000

/** How long a size may cost a rank its pod after it was read last. */
export const RACE_MS = DECISION_MS + GONE_MS

/** An HPA whose syncs are shorter sets the size within this time of its reading, and before it reads again … */
const SETTING_MS = 2_000

/** … and the operator and the Job controller end pods within this time. */
const REACTION_MS = 3_000

/** If the HPA controller reads no size for this time, sizes may be read elsewhere: by Prometheus from our gauges. */
const FOLLOWED_MS = 30_000

/** A size, and when it was replaced; `undefined` while it is the current one. */
interface PublishedSize {
  readonly size: number
  readonly until: number | undefined
  /** When a turn of the HPA began with it for the first time. */
  readonly firstTurnAt: number | undefined
  /** When anybody read it last. */
  readonly lastReadAt: number | undefined
}

/** Remembers sizes. Times are milliseconds of a clock that never goes back. */
export class PublishedSizes {
  #sizes: readonly PublishedSize[] = []
  #lastTurnAt = Number.NEGATIVE_INFINITY

  /** The current size; 0 before the first one. */
  get current(): number {
    return this.#sizes.at(-1)?.size ?? 0
  }

  /** An earlier process may have published any size, and an HPA may have read it, until now. */
  begin(now: number): void {
    this.#sizes = [{ size: 0, until: now, firstTurnAt: now, lastReadAt: now }]
  }

  publish(now: number, size: number): void {
    const last = this.#sizes.at(-1)
    if (last?.until === undefined && last?.size === size) return
    const replaced = this.#sizes.map((one) => ({ ...one, until: one.until ?? now }))
    const recent = replaced.filter(({ until }) => until > now - RACE_MS)
    const read = { firstTurnAt: undefined, lastReadAt: undefined }
    this.#sizes = [...recent, { size, until: undefined, ...read }]
  }

  /** A client was given this size. */
  read(now: number, size: number, reader: Reader): void {
    const turnAt = reader === 'hpa' ? now : undefined
    this.#lastTurnAt = turnAt ?? this.#lastTurnAt
    const index = this.#sizes.findLastIndex((one) => one.size === size)
    this.#sizes = this.#sizes.map((one, i) =>
      i === index ? { ...one, firstTurnAt: one.firstTurnAt ?? turnAt, lastReadAt: now } : one,
    )
  }

  /** When a size that takes this rank away may have been read last, and when pods were being ended for it at the latest. */
  danger(now: number, rank: number): { readonly readAt: number; readonly endedBy: number } {
    let readAt = Number.NEGATIVE_INFINITY
    let nextTurnAt = Number.POSITIVE_INFINITY
    for (const one of this.#sizes) {
      const { size, firstTurnAt = Number.POSITIVE_INFINITY } = one
      if (size > rank) nextTurnAt = Math.min(nextTurnAt, firstTurnAt)
      else if (this.#readTime(now, one) >= readAt) {
        readAt = this.#readTime(now, one)
        nextTurnAt = Number.POSITIVE_INFINITY
      }
    }
    const setBy = Math.max(nextTurnAt, readAt + SETTING_MS)
    return { readAt, endedBy: Math.min(readAt + DECISION_MS, setBy + REACTION_MS) }
  }

  #readTime(now: number, { until, lastReadAt }: PublishedSize): number {
    if (until === undefined) return now
    const isFollowed = now - this.#lastTurnAt < FOLLOWED_MS
    return isFollowed ? (lastReadAt ?? Number.NEGATIVE_INFINITY) : until
  }
}
