// From a reading to a snapshot: remembers, concludes, and says which ranks to drain. Makes no calls.
import type { Facts } from '#reading/facts.ts'
import { type Unknown, unknown } from '#reading/unknown.ts'
import { computeDemand, type Demand } from './demand.ts'
import { DrainBeforeShrink, type DrainPlan } from './drain-before-shrink.ts'
import { DEFAULT_PATIENCE, History, type Patience } from './history.ts'
import { ranksIn } from './ranks.ts'
import { publishedSize, type Sizes, wantedSizes } from './sizes.ts'
import type { Snapshot } from './snapshot.ts'
import { UnsettledRanks } from './unsettled-ranks.ts'

export interface SnapshotOptions {
  readonly patience?: Partial<Patience>
  /** Drain ranks before a smaller size is published, and mark our drains with this. */
  readonly drains: { readonly instance: string; readonly raceMs?: number } | undefined
}

/** A snapshot, and what it takes to make the next one smaller. */
export interface MadeSnapshot {
  readonly snapshot: Snapshot
  /** `undefined` without drains, and while nobody knows what is wanted. */
  readonly drains: DrainPlan | undefined
}

const STARTING = unknown(
  'the ranks that may be lost are being drained first, because nobody knows which pods are about to come',
)

/** Draws conclusions, reading by reading. */
export class SnapshotMaker {
  readonly #history: History
  readonly #instance: string | undefined
  readonly #drains: DrainBeforeShrink | undefined
  readonly #unsettled = new UnsettledRanks()
  /** The size that was published last. */
  #published = 0

  constructor({ patience, drains }: SnapshotOptions) {
    this.#history = new History({ ...DEFAULT_PATIENCE, ...patience })
    this.#instance = drains?.instance
    this.#drains = drains && new DrainBeforeShrink(drains.raceMs)
  }

  /** The next reading is of a connection that has just been made. */
  restart(): void {
    this.#history.restart()
  }

  /** @param now milliseconds of a clock that never goes back */
  make(facts: Facts, now: number): MadeSnapshot {
    const ranks = ranksIn(facts, this.#instance)
    const remembered = this.#history.observe(now, { ...facts, ranks }, this.#published)
    const unsettled = this.#unsettled.observe(now, { ...facts, open: ranks.open })
    const { waiting } = facts
    const demand =
      waiting.kind === 'unknown'
        ? waiting
        : computeDemand({ ...facts, ...remembered, ranks, waiting })
    const concluded = this.#wanted(demand, now)
    const drains =
      concluded.kind === 'known'
        ? this.#drains?.plan(now, { ...ranks, unsettled }, concluded.whole)
        : undefined
    const wanted = drains !== undefined && drains.size === undefined ? STARTING : concluded
    // While it is not known what is wanted, what was published stays so: nothing is drained for less.
    const sizes = { wanted, drained: this.#drains?.size }
    const snapshot = Object.freeze({ ...facts, ...remembered, ranks, demand, sizes })
    const published = publishedSize(sizes)
    if (typeof published === 'number') this.#published = published
    return { snapshot, drains }
  }

  #wanted(demand: Demand | Unknown, now: number): Sizes['wanted'] {
    if (demand.kind === 'unknown') return demand
    if (demand.unknownPlaces !== undefined) return demand.unknownPlaces
    return wantedSizes(demand, (purpose, size) => this.#history.hold(purpose, now, size))
  }
}
