// When ranks were last absent, by our readings: whether a rank's pod is a new one is seen from that.
import { idsetOf, listIds } from '#flux/sets/id-list.ts'
import { EMPTY_IDSET, hasId, type Idset, subtractIdsets } from '#flux/sets/idset.ts'
import type { Ranks } from '#scaling/ranks.ts'
import { RACE_MS } from './published-sizes.ts'

/** Between two readings that are not further apart than this, a rank that both show absent was absent all the time. */
const UNSEEN_MS = 30_000

/** The readings that showed a rank absent, from the first to the last of them. */
export interface Absence {
  readonly since: number
  readonly until: number
  /** Whether the reading before showed the rank live: it may be a blip of its broker, not the end of its pod. */
  readonly hasLeft: boolean
}

/** Which ranks are there, by one reading, and how long it took. */
export interface AbsenceFacts extends Pick<Ranks, 'all' | 'live'> {
  readonly tookMs?: number
}

/**
 * Remembers the latest absence of each rank that is absent, or has joined within the race. Whether it is drained does not
 * matter: a rank that is undrained and drained again has the same pod. After the race, every rank is out of danger.
 */
export class Absences {
  #absences: ReadonlyMap<number, Absence> = new Map()
  #live: Idset = EMPTY_IDSET
  #seenAt = Number.NEGATIVE_INFINITY

  /** Ranks may have joined and left unseen: earlier absences say nothing any more. */
  restart(): void {
    this.#absences = new Map()
    this.#live = EMPTY_IDSET
  }

  /**
   * Takes a reading, which shows the ranks at some moment between its begin and its end. Times are milliseconds of a clock
   * that never goes back.
   */
  observe(now: number, { all, live, tookMs = 0 }: AbsenceFacts): void {
    if (now - this.#seenAt > UNSEEN_MS) this.restart()
    const seenAt = this.#seenAt
    const begunAt = now - tookMs
    this.#seenAt = begunAt
    const absences = new Map<number, Absence>()
    for (const rank of listIds(subtractIdsets(all, live))) {
      const before = this.#absences.get(rank)
      // A rank that was live at the reading before begins a new absence.
      const goesOn = before !== undefined && before.until === seenAt
      const begun = goesOn ? before : { since: now, hasLeft: hasId(this.#live, rank) }
      absences.set(rank, { ...begun, until: begunAt })
    }
    for (const [rank, absence] of this.#absences) {
      if (!absences.has(rank) && now - absence.until < RACE_MS) absences.set(rank, absence)
    }
    this.#absences = absences
    this.#live = live
  }

  of(rank: number): Absence | undefined {
    return this.#absences.get(rank)
  }
}

/** The ranks of a set for which something holds. */
export function filterIds(ids: Idset, holds: (id: number) => boolean): Idset {
  return idsetOf([...listIds(ids)].filter(holds))
}
