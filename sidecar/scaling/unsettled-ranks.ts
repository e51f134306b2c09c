// Drained ranks on which a job may still appear. A scheduler that has chosen ranks commits R to the KVS before it answers;
// until then nothing shows them as allocated, and a drain that lands in this time does not stop the job.

import type { Drain } from '#flux/calls/resource-calls.ts'
import { EMPTY_IDSET, type Idset, subtractIdsets, unionIdsets } from '#flux/sets/idset.ts'

/** The commit takes milliseconds on an idle broker; in this time it has ended on a busy one. */
export const SETTLE_MS = 2_000

/** What a reading says of drains, and when it began. */
export interface DrainReading {
  readonly takenAt: Date
  readonly drains: readonly Drain[]
  /** Ranks that may be given jobs: online and not drained. */
  readonly open: Idset
}

/**
 * Remembers which ranks were open a moment ago, and reads Flux's own times of the drains besides: those outlive us, and our
 * clock is one that nobody sets.
 */
export class UnsettledRanks {
  /** Open ranks of the last readings. */
  #open: readonly { readonly at: number; readonly ranks: Idset }[] = []
  #startedAt: number | undefined

  /** @param now milliseconds of a clock that never goes back */
  observe(now: number, { takenAt, drains, open }: DrainReading): Idset {
    this.#startedAt ??= now
    const isNew = now - this.#startedAt < SETTLE_MS
    const recent = this.#open.filter(({ at }) => now - at < SETTLE_MS)
    this.#open = [...recent, { at: now, ranks: open }]
    const young = drains.filter(({ drainedAt }) => {
      const ageMs = drainedAt === undefined ? undefined : takenAt.getTime() - drainedAt * 1000
      // A time to come, or none, tells nothing: then what we have seen ourselves must do.
      return ageMs === undefined || ageMs < 0 ? isNew : ageMs < SETTLE_MS
    })
    const ranks = [...recent, ...young].map((one) => one.ranks).reduce(unionIdsets, EMPTY_IDSET)
    return subtractIdsets(ranks, open)
  }
}
