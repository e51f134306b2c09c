// Drain before shrink: the ranks that a smaller size takes away are drained in Flux before that size is published, so that
// no job starts on them between our answer and the end of their pods. A state machine of plain values and times. It makes
// no calls: collecting/drainer.ts carries out its plans.
import {
  EMPTY_IDSET,
  type Idset,
  idsBetween,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { type Ranks, sizeWith } from '#scaling/ranks.ts'
import { Absences } from './absences.ts'
import type { HeldDrain } from './held-drains.ts'
import { liftableDrains } from './own-drains.ts'
import { PublishedSizes, RACE_MS, type Reader } from './published-sizes.ts'

/** Which ranks can be drained, are drained, and may hold a job, by one reading. Ranks of other clusters are never seen here. */
export interface DrainFacts extends Omit<Ranks, 'bursted' | 'burstedOpen'> {
  /** Drained ranks that the scheduler may have given to a job just before, see unsettled-ranks.ts. */
  readonly unsettled: Idset
  /** When they are settled; `undefined` if there are none. */
  readonly settledAt?: number | undefined
  /** How long the reading took. Default: no time. */
  readonly tookMs?: number
}

/** Where the handshake with the HPA stands. */
export type DrainState =
  /**
   * Nothing is published. An earlier process may have published any size, so that pods may be about to start: every rank
   * of R above the first size is drained before that size is published.
   */
  | { readonly kind: 'starting'; readonly since: number }
  /** The size that is wanted is published. Live ranks above it are drained, idle and settled, and their pods may end. */
  | { readonly kind: 'offered'; readonly size: number }
  /** A smaller size is wanted. The larger one stays published while the ranks between them are drained. */
  | { readonly kind: 'draining'; readonly size: number; readonly target: number }

/** What to do after a reading. */
export interface DrainPlan {
  /** The size to publish; `undefined` while starting. */
  readonly size: number | undefined
  /** Ranks to drain. */
  readonly drain: Idset
  /** Ranks of ours to undrain. */
  readonly undrain: Idset
  /** The smaller size for which ranks are being drained; `undefined` if none is wanted. */
  readonly preparing: number | undefined
  /** When to read Flux again, on the clock of the plan, if nothing changes before; `undefined` if that does not matter. */
  readonly lookAt: number | undefined
  /** Ranks of ours that stay drained, on the clock of the plan. */
  readonly held?: readonly HeldDrain<number>[]
}

/** What a transition depends on. */
interface Situation {
  readonly now: number
  readonly facts: DrainFacts
  /** The size that is wanted: above every busy rank. */
  readonly target: number
}

/** The transitions. */
export function nextState(state: DrainState, situation: Situation): DrainState {
  const { target } = situation
  if (isReady(victimsOf(state, situation), situation)) return { kind: 'offered', size: target }
  // Where draining fails, the size of what is there is published once no earlier size can be acted on any more.
  if (state.kind === 'starting' && isInRace(state.since, situation)) return state
  const size = presentSize(state, situation)
  return size > target ? { kind: 'draining', size, target } : { kind: 'offered', size: target }
}

function isInRace(since: number, { now }: Pick<Situation, 'now'>): boolean {
  return now - since < RACE_MS
}

/** The published size, or the size of the ranks that may be given jobs, whichever is larger. */
function presentSize(state: DrainState, { facts }: Situation): number {
  const published = state.kind === 'starting' ? 0 : state.size
  // An open rank may be given a job at any moment, whichever size its pod was started for.
  return Math.max(published, sizeWith(facts.open))
}

/** Ranks that the wanted size takes away: live ones, and those whose pods may be about to start. */
function victimsOf(state: DrainState, situation: Situation): Idset {
  const { facts, target } = situation
  const isStarting = state.kind === 'starting' && isInRace(state.since, situation)
  const reach = isStarting ? sizeWith(facts.all) : presentSize(state, situation)
  const live = subtractIdsets(facts.live, idsBetween(0, target))
  return intersectIdsets(facts.all, unionIdsets(live, idsBetween(target, reach)))
}

/** Whether no job can be on the victims, or start there. */
function isReady(victims: Idset, { facts }: Situation): boolean {
  const mayBeBusy = unionIdsets(facts.allocated, facts.unsettled)
  return isEmpty(undrainedOf(victims, facts)) && isEmpty(intersectIdsets(victims, mayBeBusy))
}

function undrainedOf(victims: Idset, { ownDrained, foreignDrained }: DrainFacts): Idset {
  return subtractIdsets(victims, unionIdsets(ownDrained, foreignDrained))
}

/** How soon it is seen whether a drain was made. */
const DRAINED_MS = 250

/** When to look whether the ranks that are taken away are drained and settled. */
function settlingAt(toDrain: Idset, { now, facts }: Situation): number | undefined {
  return isEmpty(toDrain) ? facts.settledAt : now + DRAINED_MS
}

/** One MiniCluster's drains. */
export class DrainBeforeShrink {
  readonly #sizes = new PublishedSizes()
  readonly #absences = new Absences()
  #state: DrainState | undefined

  /** The size that is published; 0 before the first one. */
  get size(): number {
    return this.#sizes.current
  }

  /** A client was given this size. */
  read(now: number, size: number, reader: Reader): void {
    this.#sizes.read(now, size, reader)
  }

  /** Ranks may have come and gone unseen. */
  restart(): void {
    this.#absences.restart()
  }

  /**
   * Takes a reading.
   *
   * @param now milliseconds of a clock that never goes back
   * @param target the size that is wanted: above every busy rank
   */
  plan(now: number, facts: DrainFacts, target: number): DrainPlan {
    if (this.#state === undefined) this.#sizes.begin(now)
    const before = this.#state ?? { kind: 'starting', since: now }
    const situation = { now, facts, target }
    const state = nextState(before, situation)
    this.#state = state
    this.#absences.observe(now, facts)
    const toDrain = undrainedOf(victimsOf(before, situation), facts)
    if (state.kind === 'starting') {
      const lookAt = settlingAt(toDrain, situation)
      return { size: undefined, drain: toDrain, undrain: EMPTY_IDSET, preparing: target, lookAt }
    }
    const { size } = state
    this.#sizes.publish(now, size)
    const past = { sizes: this.#sizes, absences: this.#absences }
    const { ranks: undrain, held, lookAt } = liftableDrains(now, facts, target, past)
    if (state.kind === 'offered') {
      return { size, drain: EMPTY_IDSET, undrain, preparing: undefined, lookAt, held }
    }
    const settledAt = settlingAt(toDrain, situation)
    const earliest = settledAt === undefined ? lookAt : Math.min(settledAt, lookAt ?? settledAt)
    return { size, drain: toDrain, undrain, preparing: target, lookAt: earliest, held }
  }
}
