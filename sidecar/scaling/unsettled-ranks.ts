// Drained ranks on which a job may still start. A scheduler that has chosen ranks commits R to the KVS before it answers.
// Until then Flux does not show the ranks as allocated, and a drain in this time does not stop the job.

import type { Drain } from '#flux/calls/resource-calls.ts'
import { EMPTY_IDSET, type Idset, subtractIdsets, unionIdsets } from '#flux/sets/idset.ts'

/** The commit takes milliseconds on an idle broker. On a busy one it has ended after this time. */
export const SETTLE_MS = 2_000

/** The drains of a reading, and when it began. */
export interface DrainReading {
  readonly takenAt: Date
  readonly drains: readonly Drain[]
  /** Ranks that may be given jobs: online and not drained. */
  readonly open: Idset
}

/**
 * Finds them in two ways. Flux's own times of the drains are right after a restart of ours too. The ranks that we saw open a
 * moment ago are right when the clock of the node was set.
 */
export class UnsettledRanks {
  /** Open ranks of the last readings. */
  #open: readonly { readonly at: number; readonly ranks: Idset }[] = []
  #startedAt: number | undefined

  /**
   * Takes a reading.
   *
   * @param now milliseconds of a clock that never goes back
   * @returns the drained ranks on which a job may still start
   */
  observe(now: number, { takenAt, drains, open }: DrainReading): Idset {
    this.#startedAt ??= now
    const isNew = now - this.#startedAt < SETTLE_MS
    const recent = this.#open.filter(({ at }) => now - at < SETTLE_MS)
    this.#open = [...recent, { at: now, ranks: open }]
    const young = drains.filter(({ drainedAt }) => {
      const ageMs = drainedAt === undefined ? undefined : takenAt.getTime() - drainedAt * 1000
      // A time in the future, or no time, says nothing. Then only our own readings count.
      return ageMs === undefined || ageMs < 0 ? isNew : ageMs < SETTLE_MS
    })
    const ranks = [...recent, ...young].map((one) => one.ranks).reduce(unionIdsets, EMPTY_IDSET)
    return subtractIdsets(ranks, open)
  }
}
