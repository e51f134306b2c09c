// Drained ranks on which a job may still start. A scheduler that has chosen ranks commits R to the KVS before it answers.
// Until then Flux does not show the ranks as allocated, and a drain in this time does not stop the job.

import type { Drain } from '#flux/calls/resource-calls.ts'
import {
  EMPTY_IDSET,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'

/** The commit takes milliseconds on an idle broker. On a busy one it has ended after this time … */
export const SETTLE_MS = 2_000

/** … unless a rank became busy later than that after its drain. Then twice that time counts from now on, up to this. */
const MAX_SETTLE_MS = 30_000

/** The drains of a reading, and when it began. */
export interface DrainReading {
  readonly takenAt: Date
  readonly drains: readonly Drain[]
  /** Ranks that may be given jobs: online and not drained. */
  readonly open: Idset
  /** Ranks with something allocated. Default: not known. */
  readonly allocated?: Idset
  /** How long the reading took, in milliseconds. Default: no time. */
  readonly tookMs?: number
}

/** Drained ranks, and from when on they are settled. */
interface Doubt {
  readonly ranks: Idset
  readonly until: number
}

/**
 * Finds them in two ways. Flux's own times of the drains are right after a restart of ours too. The ranks that we saw open a
 * moment ago are right when the clock of the node was set.
 */
export class UnsettledRanks {
  /** Open ranks of the last readings. */
  #open: readonly { readonly at: number; readonly ranks: Idset }[] = []
  #startedAt: number | undefined
  #settledAt: number | undefined
  #settleMs = SETTLE_MS
  /** Drained ranks of the reading before that were not allocated. */
  #quiet: Idset = EMPTY_IDSET

  /**
   * When all that were unsettled at the last reading are settled, if nothing happens: a reading that begins then shows it.
   * `undefined` if none was.
   */
  get settledAt(): number | undefined {
    return this.#settledAt
  }

  /**
   * Takes a reading.
   *
   * @param now milliseconds of a clock that never goes back
   * @returns the drained ranks on which a job may still start
   */
  observe(now: number, reading: DrainReading): Idset {
    this.#startedAt ??= now
    // Allocated ranks are read at some moment of the reading: what they show may be as old as its begin.
    const begunAt = now - (reading.tookMs ?? 0)
    this.#learn(reading)
    this.#open = this.#open.filter(({ at }) => begunAt - at < this.#settleMs)
    const recent = this.#open.map(({ at, ranks }) => ({ ranks, until: at + this.#settleMs }))
    this.#open = [...this.#open, { at: now, ranks: reading.open }]
    const startedAt = this.#startedAt
    const doubts = [...recent, ...this.#young(begunAt, startedAt, reading)].filter(
      ({ ranks, until }) => until > begunAt && !isEmpty(subtractIdsets(ranks, reading.open)),
    )
    this.#settledAt = doubts.length === 0 ? undefined : Math.max(...doubts.map((one) => one.until))
    const ranks = doubts.map((one) => one.ranks).reduce(unionIdsets, EMPTY_IDSET)
    return subtractIdsets(ranks, reading.open)
  }

  #young(begunAt: number, startedAt: number, { takenAt, drains }: DrainReading): readonly Doubt[] {
    return drains.map(({ ranks, drainedAt }) => {
      const ageMs = ageOf(takenAt, drainedAt)
      // A time in the future, or no time, says nothing. Then only our own readings count.
      const isKnown = ageMs !== undefined && ageMs >= 0
      return { ranks, until: this.#settleMs + (isKnown ? begunAt - ageMs : startedAt) }
    })
  }

  /** A drained rank that was quiet and is allocated now shows how long a commit takes. */
  #learn({ takenAt, drains, open, allocated = EMPTY_IDSET }: DrainReading): void {
    for (const { ranks, drainedAt } of drains) {
      const isLate = !isEmpty(intersectIdsets(intersectIdsets(ranks, this.#quiet), allocated))
      const ageMs = ageOf(takenAt, drainedAt) ?? 0
      if (isLate && ageMs <= MAX_SETTLE_MS) {
        this.#settleMs = Math.min(MAX_SETTLE_MS, Math.max(this.#settleMs, 2 * ageMs))
      }
    }
    const drained = drains.map(({ ranks }) => ranks).reduce(unionIdsets, EMPTY_IDSET)
    this.#quiet = subtractIdsets(subtractIdsets(drained, open), allocated)
  }
}

function ageOf(takenAt: Date, drainedAt: number | undefined): number | undefined {
  return drainedAt === undefined ? undefined : takenAt.getTime() - drainedAt * 1000
}
