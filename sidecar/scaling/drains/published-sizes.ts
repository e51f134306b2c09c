// The sizes that were published, when each was read last, and for how long an HPA may still act on one of them.
//
// One HPA works in turns: it reads a size, sets `spec.size`, and only then reads again. It never ends a pod whose index is
// below the size that it read in the same turn: a stabilization window takes the largest size of the window, a policy allows
// a part of the step, and both end fewer pods, not more. So the pod of a rank is in danger only from turns in which a size
// up to the rank was read. We see every reading, because we answer it.

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

/** Without a request for this time, sizes may be read elsewhere: by Prometheus from our gauges. */
const FOLLOWED_MS = 30_000

/** A size, when it was replaced (`undefined` while it is the current one), and when it was read first and last. */
interface PublishedSize {
  readonly size: number
  readonly until: number | undefined
  readonly firstReadAt: number | undefined
  readonly lastReadAt: number | undefined
}

/** Remembers sizes. Times are milliseconds of a clock that never goes back. */
export class PublishedSizes {
  #sizes: readonly PublishedSize[] = []
  #lastReadAt = Number.NEGATIVE_INFINITY

  /** The current size; 0 before the first one. */
  get current(): number {
    return this.#sizes.at(-1)?.size ?? 0
  }

  /** An earlier process may have published any size, and an HPA may have read it, until now. */
  begin(now: number): void {
    this.#sizes = [{ size: 0, until: now, firstReadAt: now, lastReadAt: now }]
  }

  publish(now: number, size: number): void {
    const last = this.#sizes.at(-1)
    if (last?.until === undefined && last?.size === size) return
    const replaced = this.#sizes.map((one) => ({ ...one, until: one.until ?? now }))
    const recent = replaced.filter(({ until }) => until > now - RACE_MS)
    const read = { firstReadAt: undefined, lastReadAt: undefined }
    this.#sizes = [...recent, { size, until: undefined, ...read }]
  }

  /** A client was given this size. */
  read(now: number, size: number): void {
    this.#lastReadAt = now
    const index = this.#sizes.findLastIndex((one) => one.size === size)
    this.#sizes = this.#sizes.map((one, i) =>
      i === index ? { ...one, firstReadAt: one.firstReadAt ?? now, lastReadAt: now } : one,
    )
  }

  /** When a size that takes this rank away may have been read last, and when pods were being ended for it at the latest. */
  danger(now: number, rank: number): { readonly readAt: number; readonly endedBy: number } {
    let readAt = Number.NEGATIVE_INFINITY
    let nextReadAt = Number.POSITIVE_INFINITY
    for (const one of this.#sizes) {
      const { size, firstReadAt = Number.POSITIVE_INFINITY } = one
      if (size > rank) nextReadAt = Math.min(nextReadAt, firstReadAt)
      else if (this.#readTime(now, one) >= readAt) {
        readAt = this.#readTime(now, one)
        nextReadAt = Number.POSITIVE_INFINITY
      }
    }
    const setBy = Math.max(nextReadAt, readAt + SETTING_MS)
    return { readAt, endedBy: Math.min(readAt + DECISION_MS, setBy + REACTION_MS) }
  }

  #readTime(now: number, { until, lastReadAt }: PublishedSize): number {
    if (until === undefined) return now
    const isFollowed = now - this.#lastReadAt < FOLLOWED_MS
    return isFollowed ? (lastReadAt ?? Number.NEGATIVE_INFINITY) : until
  }
}
