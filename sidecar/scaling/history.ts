// Remembers what one reading does not show: which ranks were busy recently, which have been missing for long, and which sizes
// were wanted recently. Times are milliseconds of a clock that never goes back.
import { listIds, toIdset } from '#flux/sets/id-list.ts'
import {
  EMPTY_IDSET,
  highestId,
  type Idset,
  idsBetween,
  intersectIdsets,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import type { Facts, Remembered } from '#reading/facts.ts'
import type { Ranks } from './ranks.ts'
import { SlidingMaximum } from './sliding-maximum.ts'

/** How long something must last before the size follows it. */
export interface Patience {
  /** A released rank counts as busy for this time, and a size that is no longer wanted is published for this time. */
  readonly idleGraceMs: number
  /** A rank that is missing for this time is lost: its index has completed, and its pod is not started again. */
  readonly joinTimeoutMs: number
  /**
   * A size that was wanted at one reading counts as wanted until the next one, if that begins within this time: a reading that
   * fails in between lowers no size. After a longer gap the earlier size is out of date, and it is not served either.
   */
  readonly maxGapMs?: number
}

export const DEFAULT_PATIENCE: Patience = { idleGraceMs: 60_000, joinTimeoutMs: 600_000 }

/** The default of MAX_AGE_SECONDS. */
const DEFAULT_GAP_MS = 30_000

/** The ranks of one reading. */
interface RankFacts extends Pick<Facts, 'offline'>, Partial<Pick<Facts, 'tookMs'>> {
  readonly ranks: Pick<Ranks, 'live' | 'allocated'>
}

export class History {
  readonly #patience: Patience
  /** When a rank was last known to be busy. */
  readonly #busyAt = new Map<number, number>()
  /** The busy ranks of the previous reading. */
  #allocated: Idset = EMPTY_IDSET
  /** Ranks that have been live since the published size began to include them. */
  #joined: Idset = EMPTY_IDSET
  /** Since when a rank that should be online has been missing. */
  readonly #missingSince = new Map<number, number>()
  readonly #sizes = new Map<string, SlidingMaximum>()
  /** The size that was wanted at the previous reading, by purpose, and the time of that reading. */
  readonly #wanted = new Map<string, { readonly at: number; readonly size: number }>()
  #isNew = true
  /** How long the latest reading took. */
  #tookMs = 0

  constructor(patience: Patience) {
    this.#patience = patience
  }

  /**
   * After a gap between readings anything may have changed. Every live rank of the next reading counts as released just
   * then, so that no published size falls because of the gap.
   */
  restart(): void {
    this.#isNew = true
  }

  /**
   * Adds a reading.
   *
   * @param publishedSize the size that was published last: ranks below it should be online or join soon
   */
  observe(
    now: number,
    { ranks, offline, tookMs = 0 }: RankFacts,
    publishedSize: number,
  ): Remembered {
    this.#tookMs = tookMs
    this.#forgetPurposes(now)
    const { live, allocated } = ranks
    const { idleGraceMs, joinTimeoutMs } = this.#patience
    // A rank that was busy at the previous reading may have been released only just now.
    const busy = this.#isNew ? live : unionIdsets(allocated, this.#allocated)
    for (const rank of listIds(busy)) this.#busyAt.set(rank, now)
    this.#allocated = allocated
    this.#isNew = false
    const highest = highestId(live) ?? 0
    this.#joined = intersectIdsets(
      unionIdsets(this.#joined, live),
      idsBetween(0, Math.max(publishedSize, highest + 1)),
    )
    // Pods start from the lowest index. A rank above all that joined is not missing: a quota or the HPA may hold it back.
    const missing = intersectIdsets(offline, unionIdsets(this.#joined, idsBetween(0, highest)))
    return {
      recent: subtractIdsets(
        intersectIdsets(live, idsAfter(this.#busyAt, now - idleGraceMs)),
        allocated,
      ),
      lost: this.#lostAmong(missing, now, now - joinTimeoutMs),
    }
  }

  /** Adds a size that is wanted for a purpose, and returns the largest of the idle grace: that one may be published. */
  hold(purpose: string, now: number, size: number): number {
    let sizes = this.#sizes.get(purpose)
    if (sizes === undefined) {
      sizes = new SlidingMaximum(this.#patience.idleGraceMs)
      this.#sizes.set(purpose, sizes)
    }
    const before = this.#wanted.get(purpose)
    const isRecent = now - this.#tookMs - (before?.at ?? now) <= this.#maxGapMs
    if (before !== undefined && isRecent) sizes.add(now, before.size)
    this.#wanted.set(purpose, { at: now, size })
    return sizes.add(now, size)
  }

  get #maxGapMs(): number {
    return this.#patience.maxGapMs ?? DEFAULT_GAP_MS
  }

  /** Queues come and go. One that has not been wanted for so long counts for nothing any more. */
  #forgetPurposes(now: number): void {
    const limit = now - this.#tookMs - Math.max(this.#maxGapMs, this.#patience.idleGraceMs)
    for (const [purpose, { at }] of this.#wanted) {
      if (at >= limit) continue
      this.#wanted.delete(purpose)
      this.#sizes.delete(purpose)
    }
  }

  #lostAmong(missing: Idset, now: number, limit: number): Idset {
    const ranks = listIds(missing)
    const still = new Set(ranks)
    for (const rank of this.#missingSince.keys()) {
      if (!still.has(rank)) this.#missingSince.delete(rank)
    }
    const lost = new Uint8Array((ranks.at(-1) ?? -1) + 1)
    for (const rank of ranks) {
      const since = this.#missingSince.get(rank) ?? now
      this.#missingSince.set(rank, since)
      if (since <= limit) lost[rank] = 1
    }
    return toIdset(lost)
  }
}

/** The ids whose time is after `limit`. The others are deleted from `times`. */
function idsAfter(times: Map<number, number>, limit: number): Idset {
  let highest = -1
  for (const [id, time] of times) {
    if (time <= limit) times.delete(id)
    else if (id > highest) highest = id
  }
  const marks = new Uint8Array(highest + 1)
  for (const id of times.keys()) marks[id] = 1
  return toIdset(marks)
}
