// From a reading to a snapshot: adds what is remembered of earlier readings and what follows from them, and plans the
// drains. Makes no calls.
import { intersectIdsets } from '#flux/sets/idset.ts'
import type { Facts } from '#reading/facts.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import { computeDemand, type Demand } from './demand.ts'
import { isOwnReason } from './drain-reason.ts'
import { DrainBeforeShrink, type DrainPlan } from './drains/drain-before-shrink.ts'
import { FormerDrains } from './drains/former-drains.ts'
import type { HeldDrain } from './drains/held-drains.ts'
import { UnsettledRanks } from './drains/unsettled-ranks.ts'
import { DEFAULT_PATIENCE, History, type Patience } from './history.ts'
import { ranksIn } from './ranks.ts'
import { ALL_QUEUES, publishedSize, type Sizes, wantedSizes } from './sizes.ts'
import type { Snapshot } from './snapshot.ts'

export interface SnapshotOptions {
  readonly patience?: Partial<Patience>
  /** The instance that the reasons of our drains name; `undefined`: nothing is drained before a smaller size is published. */
  readonly drains: { readonly instance: string } | undefined
  /** Without `drains`: the instance that the reasons of our drains named when there were some. They are lifted. */
  readonly formerDrains?: { readonly instance: string } | undefined
}

/** A snapshot, and the drains to make after it. */
export interface MadeSnapshot {
  readonly snapshot: Snapshot
  /** `undefined` without drains, and while the wanted size is not known. */
  readonly drains: DrainPlan | undefined
}

const STARTING = unknown(
  'the sidecar has just started and drains the ranks above the size first: pods of an earlier size may be starting',
)

/** Makes snapshots, one after each reading of one instance. */
export class SnapshotMaker {
  readonly #history: History
  readonly #formerInstance: string | undefined
  /** Whose drains are ours; `undefined` if none are. */
  #instance: string | undefined
  #drains: DrainBeforeShrink | FormerDrains | undefined
  readonly #unsettled = new UnsettledRanks()
  /** The size that was published last. */
  #published = 0

  constructor({ patience, drains, formerDrains }: SnapshotOptions) {
    this.#history = new History({ ...DEFAULT_PATIENCE, ...patience })
    this.#instance = drains?.instance
    this.#drains = drains && new DrainBeforeShrink()
    this.#formerInstance = drains === undefined ? formerDrains?.instance : undefined
  }

  /** Whether drains of an earlier sidecar with DRAIN are left. {@link liftFormerDrains} makes plans to lift them. */
  leavesDrains({ drains }: Pick<Facts, 'drains'>): boolean {
    const instance = this.#formerInstance
    if (instance === undefined || this.#drains !== undefined) return false
    return drains.some(({ reason }) => isOwnReason(instance, reason))
  }

  /** From now on former drains are lifted. Flux allows this only to the owner of the broker. */
  liftFormerDrains(): void {
    this.#instance ??= this.#formerInstance
    this.#drains ??= new FormerDrains()
  }

  /** Call it before the first reading of a new connection: anything may have changed since the last one. */
  restart(): void {
    this.#history.restart()
    this.#drains?.restart()
  }

  /** A client received the sizes of this snapshot: from now on an HPA may act on them. */
  noteAnswer({ sizes }: Snapshot, now: number): void {
    const size = publishedSize(sizes)
    if (typeof size === 'number') this.#drains?.read(now, size)
  }

  /** @param now milliseconds of a clock that never goes back */
  make(facts: Facts, now: number): MadeSnapshot {
    const ranks = ranksIn(facts, this.#instance)
    const offline = intersectIdsets(facts.offline, ranks.all)
    const remembered = this.#history.observe(now, { ...facts, offline, ranks }, this.#published)
    const { open, allocated } = ranks
    const unsettled = this.#unsettled.observe(now, { ...facts, open, allocated })
    const { settledAt } = this.#unsettled
    const { waiting, takenAt, tookMs } = facts
    const endedAt = takenAt.getTime() + tookMs
    const demand =
      waiting.kind === 'unknown'
        ? waiting
        : computeDemand({ ...facts, ...remembered, ranks, waiting })
    const sizesOfDemand = this.#wanted(facts, demand, now)
    const drains =
      sizesOfDemand.kind === 'known'
        ? this.#drains?.plan(now, { ...ranks, unsettled, settledAt, tookMs }, sizesOfDemand.whole)
        : undefined
    // What is held for former drains was wanted as long as they were there: it stays for the idle grace.
    if (this.#drains instanceof FormerDrains && drains?.size !== undefined) {
      this.#history.hold(ALL_QUEUES, now, drains.size)
    }
    const wanted = drains !== undefined && drains.size === undefined ? STARTING : sizesOfDemand
    // While the wanted size is not known, the published size stays, and nothing is drained for a smaller one.
    const sizes = { wanted, drained: this.#drains?.size }
    const heldDrains = drains?.held && datesOf(drains.held, (at) => endedAt + at - now)
    const derived = { ranks, demand, sizes, ...(heldDrains && { heldDrains }) }
    const snapshot = Object.freeze({ ...facts, ...remembered, ...derived })
    const published = publishedSize(sizes)
    if (typeof published === 'number') this.#published = published
    return { snapshot, drains }
  }

  #wanted({ pods }: Pick<Facts, 'pods'>, demand: Demand | Unknown, now: number): Sizes['wanted'] {
    // No size keeps the ranks that it should if rank i is not the pod of index i.
    if (isUnknown(pods)) return pods
    if (demand.kind === 'unknown') return demand
    if (demand.unknownPlaces !== undefined) return demand.unknownPlaces
    return wantedSizes(demand, (purpose, size) => this.#history.hold(purpose, now, size))
  }
}

function datesOf(
  held: readonly HeldDrain<number>[],
  toTime: (at: number) => number,
): readonly HeldDrain<Date>[] {
  return held.map(({ ranks, because, until }) => ({
    ranks,
    because,
    until: until === undefined ? undefined : new Date(toTime(until)),
  }))
}
