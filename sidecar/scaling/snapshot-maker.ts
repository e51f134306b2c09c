// From a reading to a snapshot: remembers, concludes, and says which ranks to drain. Makes no calls.
import { EMPTY_IDSET, type Idset, subtractIdsets, unionIdsets } from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import type { Facts, Withheld } from '#reading/facts.ts'
import { computeDemand, type Demand } from './demand.ts'
import { DrainBeforeShrink, type DrainPlan, isOwnReason } from './drain-before-shrink.ts'
import { DEFAULT_PATIENCE, History, type Patience } from './history.ts'
import { publishedSize, type Sizes, wantedSizes } from './sizes.ts'
import type { Snapshot } from './snapshot.ts'
import { UnsettledRanks } from './unsettled-ranks.ts'

export interface OutlookOptions {
  readonly patience?: Partial<Patience>
  /** Drain ranks before a smaller size is published, and mark our drains with this. */
  readonly drains: { readonly instance: string; readonly raceMs?: number } | undefined
}

/** A snapshot, and what it takes to make the next one smaller. */
export interface Outlook {
  readonly snapshot: Snapshot
  /** `undefined` without drains, and while nobody knows what is wanted. */
  readonly drains: DrainPlan | undefined
}

const STARTING: Withheld = {
  kind: 'withheld',
  reason:
    'the ranks that may be lost are being drained first, because nobody knows which pods are about to come',
}

/** Draws conclusions, reading by reading. */
export class OutlookMaker {
  readonly #history: History
  readonly #instance: string | undefined
  readonly #drains: DrainBeforeShrink | undefined
  readonly #unsettled = new UnsettledRanks()
  /** The size that was published last. */
  #published = 0

  constructor({ patience, drains }: OutlookOptions) {
    this.#history = new History({ ...DEFAULT_PATIENCE, ...patience })
    this.#instance = drains?.instance
    this.#drains = drains && new DrainBeforeShrink(drains.raceMs)
  }

  /** The next reading is of a connection that has just been made. */
  restart(): void {
    this.#history.restart()
  }

  /** @param now milliseconds of a clock that never goes back */
  draw(facts: Facts, now: number): Outlook {
    const { offline, torpid } = facts
    const all = ranksOf(facts.all)
    const live = subtractIdsets(all, offline)
    const allocated = subtractIdsets(ranksOf(facts.allocated), offline)
    const sight = { online: live, offline, allocated }
    const remembered = this.#history.observe(now, sight, this.#published)
    const { own, foreign } = this.#ownersOf(facts)
    const unusable = unionIdsets(foreign, torpid)
    const demand = demandOf(facts, { ...remembered, unusable })
    const open = subtractIdsets(live, unionIdsets(own, foreign))
    const unsettled = this.#unsettled.observe(now, { ...facts, open })
    const concluded = this.#wanted(demand, now)
    const drains =
      concluded.kind === 'known'
        ? this.#drains?.plan(
            now,
            { all, online: live, own, foreign, allocated, unsettled },
            concluded.whole,
          )
        : undefined
    const wanted = drains !== undefined && drains.size === undefined ? STARTING : concluded
    // While nobody knows what is wanted, what was published stays so: nothing is drained for less.
    const sizes = { wanted, drained: this.#drains?.size }
    const snapshot = Object.freeze({ ...facts, ...remembered, demand, sizes, ownDrains: own })
    const published = publishedSize(sizes)
    if (typeof published === 'number') this.#published = published
    return { snapshot, drains }
  }

  #wanted(demand: Demand | Withheld, now: number): Sizes['wanted'] {
    if (demand.kind === 'withheld') return demand
    if (demand.uncertain !== undefined) return { kind: 'withheld', reason: demand.uncertain }
    return wantedSizes(demand, (purpose, size) => this.#history.hold(purpose, now, size))
  }

  #ownersOf({ drains }: Facts): { readonly own: Idset; readonly foreign: Idset } {
    let own = EMPTY_IDSET
    let foreign = EMPTY_IDSET
    for (const { ranks, reason } of drains) {
      const isOwn = this.#instance !== undefined && isOwnReason(this.#instance, reason)
      if (isOwn) own = unionIdsets(own, ranks)
      else foreign = unionIdsets(foreign, ranks)
    }
    return { own, foreign }
  }
}

function demandOf(
  facts: Facts,
  more: { readonly recent: Idset; readonly lost: Idset; readonly unusable: Idset },
): Demand | Withheld {
  const { waiting } = facts
  return waiting.kind === 'withheld' ? waiting : computeDemand({ ...facts, ...more, waiting })
}
