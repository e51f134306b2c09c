// Drain before shrink: before a smaller size is published, the ranks that it would take away are drained in Flux, so that
// no job can be placed on them between our answer and the end of their pods. A state machine of plain values that is told
// the time; who makes the calls is no matter here.
import {
  EMPTY_IDSET,
  type Idset,
  idsBetween,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { type Ranks, sizeWith } from './ranks.ts'

/**
 * For so long after a size was published an HPA may act on it: two of its syncs (15 s), and the grace of a pod that was
 * told to end (30 s), while its rank is up.
 */
export const RACE_MS = 60_000

/** Which ranks may be drained, are drained, and may hold a job, by one reading. */
export interface DrainFacts extends Ranks {
  /** Drained ranks that the scheduler may have given to a job just before, see {@link UnsettledRanks}. */
  readonly unsettled: Idset
}

/** What is to be done now. */
export interface DrainPlan {
  /** The size to publish; `undefined`: none yet, see {@link DrainBeforeShrink.plan}. */
  readonly size: number | undefined
  /** Ranks to drain, with the size that they make room for. */
  readonly drain: Idset
  /** Ranks of ours to give back. */
  readonly undrain: Idset
  /** The smaller size that is being prepared; `undefined` while none is. */
  readonly preparing: number | undefined
}

/** A size that was published, and when it was given up; `undefined` while it is published. */
interface Published {
  readonly size: number
  readonly until: number | undefined
}

/** One MiniCluster's drains. */
export class DrainBeforeShrink {
  readonly #raceMs: number
  #published: readonly Published[] = []
  /** Ranks of ours that are there and that a size which is or was published takes away. */
  #leaving: Idset = EMPTY_IDSET
  /** Ranks of those that have gone: what comes back is a pod of a larger size, which no earlier decision will end. */
  #left: Idset = EMPTY_IDSET
  /** When the published size last fell. */
  #fellAt = Number.NEGATIVE_INFINITY
  /** Before the first plan somebody may have published anything. */
  #startedAt: number | undefined
  /** Ranks that were drained for that reason alone, and have not come since. */
  #awaited: Idset = EMPTY_IDSET

  constructor(raceMs: number = RACE_MS) {
    this.#raceMs = raceMs
  }

  /** The size that is published; 0 before the first plan. */
  get size(): number {
    return this.#published.at(-1)?.size ?? 0
  }

  /**
   * Decides.
   *
   * Who has just started knows of no pods that may be about to come, of a size that somebody published before: until every
   * rank of R above the first size is drained, nothing is published, or for the length of the race if that fails.
   *
   * @param target the size that is wanted: above every rank that is busy
   */
  plan(now: number, facts: DrainFacts, target: number): DrainPlan {
    this.#startedAt ??= now
    const { all, live, ownDrained, foreignDrained, allocated, open, unsettled } = facts
    const drained = unionIdsets(ownDrained, foreignDrained)
    // A rank that is there and not drained may be given a job at any moment, whoever made its pod.
    const before = Math.max(this.size, sizeWith(open))
    const isFirst = this.size === 0 && now - this.#startedAt < this.#raceMs
    const reach = isFirst ? sizeWith(all) : before
    const victims = intersectIdsets(all, victimsOf(live, target, reach))
    const toDrain = subtractIdsets(victims, drained)
    const mayBeBusy = intersectIdsets(victims, unionIdsets(allocated, unsettled))
    const isReady = isEmpty(toDrain) && isEmpty(mayBeBusy)
    this.#awaited = isFirst
      ? subtractIdsets(victims, live)
      : subtractIdsets(this.#awaited, unionIdsets(victims, live))
    if (isFirst && !isReady) {
      return { size: undefined, drain: toDrain, undrain: EMPTY_IDSET, preparing: target }
    }
    const size = target >= before || isReady ? target : before
    this.#publish(now, size)
    this.#follow(now, facts)
    return {
      size,
      drain: size > target ? toDrain : EMPTY_IDSET,
      undrain: this.#toUndrain(now, facts, target),
      preparing: size > target ? target : undefined,
    }
  }

  #publish(now: number, size: number): void {
    const last = this.#published.at(-1)
    if (last?.size === size) return
    const closed = this.#published.map((one) => ({ ...one, until: one.until ?? now }))
    const recent = closed.filter(({ until }) => until > now - this.#raceMs)
    this.#published = [...recent, { size, until: undefined }]
    if (last !== undefined && last.size < size) return
    this.#fellAt = now
    this.#left = intersectIdsets(this.#left, idsBetween(0, size))
  }

  /** The smallest size that an HPA may still act on. */
  #lowest(now: number): number {
    if (this.#startedAt === undefined || now - this.#startedAt < this.#raceMs) return 0
    const limit = now - this.#raceMs
    const alive = this.#published.filter(({ until }) => until === undefined || until > limit)
    return Math.min(...alive.map(({ size }) => size))
  }

  /** Sees which ranks go. */
  #follow(now: number, { live, ownDrained }: DrainFacts): void {
    const unwanted = subtractIdsets(intersectIdsets(ownDrained, live), idsBetween(0, this.size))
    const leaving = unionIdsets(intersectIdsets(this.#leaving, ownDrained), unwanted)
    this.#leaving = intersectIdsets(leaving, live)
    this.#left = subtractIdsets(intersectIdsets(this.#left, ownDrained), unwanted)
    // Soon after a fall it may be an earlier one that ends the pod, and its successor may be about to be ended by this one.
    if (now - this.#fellAt < this.#raceMs) return
    this.#left = unionIdsets(this.#left, subtractIdsets(leaving, live))
  }

  #toUndrain(now: number, { live, ownDrained }: DrainFacts, target: number): Idset {
    const wanted = intersectIdsets(ownDrained, idsBetween(0, target))
    const safe = intersectIdsets(wanted, idsBetween(0, this.#lowest(now)))
    const remade = intersectIdsets(intersectIdsets(wanted, this.#left), live)
    // What was about to come would have: what comes now will be wanted.
    const isLate = this.#startedAt === undefined || now - this.#startedAt < this.#raceMs
    const absent = isLate ? EMPTY_IDSET : intersectIdsets(ownDrained, this.#awaited)
    return [safe, remade, absent].reduce(unionIdsets)
  }
}

/** Those that are there, and those that may be about to come: a late pod must find itself drained. */
function victimsOf(live: Idset, target: number, before: number): Idset {
  const there = subtractIdsets(live, idsBetween(0, target))
  return unionIdsets(there, idsBetween(target, before))
}
