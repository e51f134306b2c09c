// What one reading cannot tell: which ranks were busy a moment ago, which have not come for long, and how large we said
// the MiniCluster should be. Times are milliseconds of a clock that never goes back.

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
import type { Facts } from '#reading/facts.ts'
import type { Ranks } from './ranks.ts'
import { SlidingMaximum } from './sliding-maximum.ts'

/** How patient we are. */
export interface Patience {
  /** A rank counts as busy this long after it was released, and a size that is wanted no more is published this long. */
  readonly idleGraceMs: number
  /** A rank that others have passed, or that was there, and is not for this long is given up: its index has completed. */
  readonly joinTimeoutMs: number
  /**
   * What was wanted at one reading was wanted until the next, if that begins within so long: one that fails in between makes
   * nothing fall. After a longer silence it would be a number of the past, and it is not served either.
   */
  readonly unseenMs?: number
}

export const DEFAULT_PATIENCE: Patience = { idleGraceMs: 60_000, joinTimeoutMs: 600_000 }

/** The default of MAX_AGE_SECONDS. */
const DEFAULT_UNSEEN_MS = 30_000

/** Which ranks are there and busy, by one reading. */
export interface RankFacts extends Pick<Facts, 'offline'>, Partial<Pick<Facts, 'tookMs'>> {
  readonly ranks: Pick<Ranks, 'live' | 'allocated'>
}

/** Remembers one connection's readings. */
export class History {
  readonly #patience: Patience
  /** When a rank was last known to be busy. */
  readonly #busyAt = new Map<number, number>()
  /** Busy ranks of the reading before. */
  #allocated: Idset = EMPTY_IDSET
  /** Ranks that came since they are wanted. */
  #came: Idset = EMPTY_IDSET
  /** Since when a rank that should be there has been missing. */
  readonly #missingSince = new Map<number, number>()
  readonly #sizes = new Map<string, SlidingMaximum>()
  /** What was wanted at the reading before, by purpose, and when that was. */
  readonly #wanted = new Map<string, { readonly at: number; readonly size: number }>()
  #isNew = true
  /** How long the latest reading took. */
  #tookMs = 0

  constructor(patience: Patience = DEFAULT_PATIENCE) {
    this.#patience = patience
  }

  /**
   * From now on everything may have changed unseen: every rank that is there counts as released just now. So nothing that
   * is published falls because we were away.
   */
  restart(): void {
    this.#isNew = true
  }

  /**
   * Takes a reading.
   *
   * @param wanted the size published last: ranks below it should be there, or soon
   */
  observe(now: number, { ranks, offline, tookMs = 0 }: RankFacts, wanted: number) {
    this.#tookMs = tookMs
    const { live, allocated } = ranks
    const { idleGraceMs, joinTimeoutMs } = this.#patience
    // What was busy at the last reading was released after it: up to a moment ago.
    const busy = this.#isNew ? live : unionIdsets(allocated, this.#allocated)
    for (const rank of listIds(busy)) this.#busyAt.set(rank, now)
    this.#allocated = allocated
    this.#isNew = false
    const highest = highestId(live) ?? 0
    this.#came = intersectIdsets(
      unionIdsets(this.#came, live),
      idsBetween(0, Math.max(wanted, highest + 1)),
    )
    // Pods start from the lowest index on. Those above all that came may yet: a quota, or the HPA, lets no more come.
    const missing = intersectIdsets(offline, unionIdsets(this.#came, idsBetween(0, highest)))
    return {
      recent: subtractIdsets(
        intersectIdsets(live, younger(this.#busyAt, now - idleGraceMs)),
        allocated,
      ),
      lost: this.#lostAmong(missing, now, now - joinTimeoutMs),
    }
  }

  /** Adds a size that is wanted for a purpose, and tells the largest of the last while: that may be published. */
  hold(purpose: string, now: number, size: number): number {
    let sizes = this.#sizes.get(purpose)
    if (sizes === undefined) {
      sizes = new SlidingMaximum(this.#patience.idleGraceMs)
      this.#sizes.set(purpose, sizes)
    }
    const before = this.#wanted.get(purpose)
    const { unseenMs = DEFAULT_UNSEEN_MS } = this.#patience
    const isSeen = now - this.#tookMs - (before?.at ?? now) <= unseenMs
    if (before !== undefined && isSeen) sizes.add(now, before.size)
    this.#wanted.set(purpose, { at: now, size })
    return sizes.add(now, size)
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

/** Drops what is older, and gives the rest. */
function younger(times: Map<number, number>, limit: number): Idset {
  let highest = -1
  for (const [id, time] of times) {
    if (time <= limit) times.delete(id)
    else if (id > highest) highest = id
  }
  const marks = new Uint8Array(highest + 1)
  for (const id of times.keys()) marks[id] = 1
  return toIdset(marks)
}
