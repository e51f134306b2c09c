// The sizes that were published, for as long as an HPA may still act on one of them.

/**
 * How long an HPA may act on a size after it was replaced: two of its syncs (15 s each), and the grace of a pod that is
 * being ended (30 s), during which its rank is up.
 */
export const RACE_MS = 60_000

/** A size, and when it was replaced; `undefined` while it is the current one. */
interface PublishedSize {
  readonly size: number
  readonly until: number | undefined
}

/** Remembers sizes. Times are milliseconds of a clock that never goes back. */
export class PublishedSizes {
  #sizes: readonly PublishedSize[] = []
  #fellAt = Number.NEGATIVE_INFINITY

  /** The current size; 0 before the first one. */
  get current(): number {
    return this.#sizes.at(-1)?.size ?? 0
  }

  /** When the size last fell. The first size counts as a fall: an earlier process may have published a larger one. */
  get fellAt(): number {
    return this.#fellAt
  }

  /** @returns whether the size is another one, and not larger than the one before */
  publish(now: number, size: number): boolean {
    const last = this.#sizes.at(-1)
    if (last?.size === size) return false
    const replaced = this.#sizes.map((one) => ({ ...one, until: one.until ?? now }))
    const recent = replaced.filter(({ until }) => until > now - RACE_MS)
    this.#sizes = [...recent, { size, until: undefined }]
    if (last !== undefined && last.size < size) return false
    this.#fellAt = now
    return true
  }

  /** The smallest size that an HPA may still act on. */
  smallestInRace(now: number): number {
    const limit = now - RACE_MS
    const inRace = this.#sizes.filter(({ until }) => until === undefined || until > limit)
    return Math.min(...inRace.map(({ size }) => size))
  }
}
