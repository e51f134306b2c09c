// A snapshot: one reading of a Flux instance, and what follows from it. The collector makes it, and nothing changes it.
import type { Facts, Remembered } from '#reading/facts.ts'
import type { Unknown } from '#reading/unknown.ts'
import type { Demand } from './demand.ts'
import type { HeldDrain } from './drains/held-drains.ts'
import type { Reader } from './drains/published-sizes.ts'
import type { Ranks } from './ranks.ts'
import type { Sizes } from './sizes.ts'
import type { UnstartedJob } from './unstarted/unstarted-jobs.ts'

export type { Reader }

/** One reading and its consequences. Frozen. */
export interface Snapshot extends Facts, Remembered {
  readonly demand: Demand | Unknown
  readonly sizes: Sizes
  readonly ranks: Ranks
  /** Ranks of ours that stay drained for the present. Default: none. */
  readonly heldDrains?: readonly HeldDrain<Date>[]
  /** Why Flux refused the last drain, after the reading before this one. Default: it did not. */
  readonly drainRefusal?: string
  /** Jobs that fit on free ranks and are not started. Default: none. */
  readonly unstarted?: readonly UnstartedJob[]
}

/**
 * A snapshot that is young enough to act upon, or the reason why there is none. `since` is when the last successful reading
 * began; `undefined` if there was none.
 */
export type Reading =
  | { readonly kind: 'fresh'; readonly snapshot: Snapshot }
  | { readonly kind: 'stale'; readonly reason: string; readonly since: Date | undefined }

/** Answers from memory with the latest snapshot: the collector, or a test's stand-in. */
export interface SnapshotSource {
  /** The latest reading, judged at `now` (default: the present). Never waits, never asks Flux. */
  reading(now?: Date): Reading
  /**
   * A client is given numbers of this snapshot: an HPA may act on them.
   *
   * @param reader `hpa` only if the HPA controller itself is given the published size
   */
  noteAnswer?(snapshot: Snapshot, reader: Reader): void
}
