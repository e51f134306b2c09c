// What we know of a Flux instance at one moment: what a reading told, and what follows from it. A value: made by the
// collector, read by everyone, changed by none.
import type { Facts, Remembered } from '#reading/facts.ts'
import type { Unknown } from '#reading/unknown.ts'
import type { Demand } from './demand.ts'
import type { Ranks } from './ranks.ts'
import type { Sizes } from './sizes.ts'

/** One moment. Frozen. */
export interface Snapshot extends Facts, Remembered {
  readonly demand: Demand | Unknown
  readonly sizes: Sizes
  readonly ranks: Ranks
}

/**
 * What a reader gets: a snapshot that is young enough to act upon, or the reason why there is none.
 * `since` is when the last good reading began, `undefined` if there never was one.
 */
export type Reading =
  | { readonly kind: 'fresh'; readonly snapshot: Snapshot }
  | { readonly kind: 'stale'; readonly reason: string; readonly since: Date | undefined }

/** Who answers "what do you know now?" from memory: the collector; in tests, anything. */
export interface SnapshotSource {
  /** The latest reading, judged at `now` (default: the present). Never waits, never asks Flux. */
  reading(now?: Date): Reading
}
