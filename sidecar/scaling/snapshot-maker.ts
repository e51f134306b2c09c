// From a reading to a snapshot: adds what is remembered of earlier readings and what follows from them, and plans the
// drains. Makes no calls.
import type { DrainNews } from '#flux/calls/resource-calls.ts'
import { intersectIdsets } from '#flux/sets/idset.ts'
import type { Facts, Remembered } from '#reading/facts.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import { computeDemand, computeDemandInTurns, type Demand, type DemandFacts } from './demand.ts'
import { isOwnReason } from './drain-reason.ts'
import { DrainBeforeShrink, type DrainPlan } from './drains/drain-before-shrink.ts'
import { FormerDrains } from './drains/former-drains.ts'
import type { HeldDrain } from './drains/held-drains.ts'
import type { Reader } from './drains/published-sizes.ts'
import { UnsettledRanks } from './drains/unsettled-ranks.ts'
import { HiddenDrains } from './hidden-drains.ts'
import { DEFAULT_PATIENCE, History, type Patience } from './history.ts'
import { type Ranks, ranksIn } from './ranks.ts'
import { ALL_QUEUES, publishedSize, type Sizes, wantedSizes } from './sizes.ts'
import type { Snapshot } from './snapshot.ts'
import { STEP_MS, type UnstartedJob, UnstartedJobs } from './unstarted/unstarted-jobs.ts'

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

/** A reading, with what is remembered of earlier ones. */
interface Observed {
  readonly facts: Facts
  /** When it was observed, by the clock of the maker. */
  readonly now: number
  readonly ranks: Ranks
  readonly remembered: Remembered
  readonly unsettled: ReturnType<UnsettledRanks['observe']>
  readonly demandFacts: DemandFacts | Unknown
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
  readonly #hidden = new HiddenDrains()
  readonly #unsettled = new UnsettledRanks()
  readonly #unstarted: UnstartedJobs
  /** The size that was published last. */
  #published = 0
  #drainRefusal: string | undefined

  constructor({ patience, drains, formerDrains }: SnapshotOptions) {
    const { startTimeoutMs = STEP_MS, ...times } = { ...DEFAULT_PATIENCE, ...patience }
    this.#history = new History(times)
    this.#unstarted = new UnstartedJobs({ ...times, stepMs: startTimeoutMs })
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

  /**
   * Call it before the first reading of a new connection, and before one that comes after a gap: anything may have changed since
   * the last one.
   */
  restart(): void {
    this.#history.restart()
    this.#unstarted.restart()
    this.#drains?.restart()
  }

  /** A client received numbers of this snapshot: from now on an HPA may act on its size. */
  noteAnswer({ sizes }: Snapshot, now: number, reader: Reader): void {
    const size = publishedSize(sizes)
    if (typeof size === 'number') this.#drains?.read(now, size, reader)
  }

  /** What the resource journal tells of drains: the next snapshot has those that a reading does not show. */
  noteDrains(news: DrainNews): void {
    this.#hidden.note(news)
  }

  /** Why Flux refused the last drain; `undefined` if it did not. The next snapshot has it. */
  noteRefusal(reason: string | undefined): void {
    this.#drainRefusal = reason
  }

  /** @param now milliseconds of a clock that never goes back */
  make(facts: Facts, now: number): MadeSnapshot {
    const observed = this.#observe(facts, now)
    const { demandFacts } = observed
    const demand = isUnknown(demandFacts) ? demandFacts : computeDemand(demandFacts)
    return this.#conclude(observed, demand, now)
  }

  /**
   * The same, in turns of the event loop. What depends on who has read which size is worked out in the last of them.
   *
   * @param clock returns milliseconds, and never goes back
   */
  async makeInTurns(facts: Facts, clock: () => number): Promise<MadeSnapshot> {
    const observed = this.#observe(facts, clock())
    const { demandFacts } = observed
    const demand = isUnknown(demandFacts) ? demandFacts : await computeDemandInTurns(demandFacts)
    return this.#conclude(observed, demand, clock())
  }

  /** Remembers what the reading shows. */
  #observe(reading: Facts, now: number): Observed {
    const facts = { ...reading, drains: this.#hidden.reveal(reading.drains) }
    const ranks = ranksIn(facts, this.#instance)
    const offline = intersectIdsets(facts.offline, ranks.all)
    const remembered = this.#history.observe(now, { ...facts, offline, ranks }, this.#published)
    const { open, allocated } = ranks
    const unsettled = this.#unsettled.observe(now, { ...facts, open, allocated })
    const { waiting } = facts
    const demandFacts = isUnknown(waiting) ? waiting : { ...facts, ...remembered, ranks, waiting }
    return { facts, now, ranks, remembered, unsettled, demandFacts }
  }

  #conclude(observed: Observed, demand: Demand | Unknown, now: number): MadeSnapshot {
    const { facts, ranks, remembered, unsettled } = observed
    const { settledAt } = this.#unsettled
    const { takenAt, tookMs } = facts
    const endedAt = takenAt.getTime() + tookMs
    const unstarted = this.#unstartedJobs(now, { ...facts, ...remembered, ranks, demand })
    const sizesOfDemand = this.#wanted(facts, demand, now, unstarted)
    // What the reading shows was so when it began, however long it takes to work out what follows.
    const sinceMs = now - observed.now + tookMs
    const settling = { unsettled, settledAt, tookMs: sinceMs }
    const drains =
      sizesOfDemand.kind === 'known'
        ? this.#drains?.plan(now, { ...ranks, ...settling }, sizesOfDemand.whole)
        : undefined
    // What is held for former drains was wanted as long as they were there: it stays for the idle grace.
    if (this.#drains instanceof FormerDrains && drains?.size !== undefined) {
      this.#history.hold(ALL_QUEUES, now, drains.size)
    }
    const wanted = drains !== undefined && drains.size === undefined ? STARTING : sizesOfDemand
    // While the wanted size is not known, the published size stays, and nothing is drained for a smaller one.
    const sizes = { wanted, drained: this.#drains?.size }
    const heldDrains = drains?.held && datesOf(drains.held, (at) => endedAt + at - observed.now)
    const derived = {
      ...{ ranks, demand, sizes },
      ...(heldDrains && { heldDrains }),
      ...(unstarted.length > 0 && { unstarted }),
      ...(this.#drainRefusal !== undefined && { drainRefusal: this.#drainRefusal }),
    }
    const snapshot = Object.freeze({ ...facts, ...remembered, ...derived })
    const published = publishedSize(sizes)
    if (typeof published === 'number') this.#published = published
    return { snapshot, drains }
  }

  #unstartedJobs(
    now: number,
    facts: Omit<Snapshot, 'sizes' | 'unstarted'>,
  ): readonly UnstartedJob[] {
    const { waiting, demand, pods } = facts
    if (waiting.kind === 'unknown' || demand.kind === 'unknown') return []
    const { infeasibleJobs, unknownPlaces } = demand
    // Without a size nothing is tried for them.
    if (unknownPlaces !== undefined || isUnknown(pods)) return []
    return this.#unstarted.observe(now, { ...facts, waiting, infeasibleJobs }, this.#published)
  }

  #wanted(
    { pods }: Pick<Facts, 'pods'>,
    demand: Demand | Unknown,
    now: number,
    unstarted: readonly UnstartedJob[],
  ): Sizes['wanted'] {
    // No size keeps the ranks that it should if rank i is not the pod of index i.
    if (isUnknown(pods)) return pods
    if (demand.kind === 'unknown') return demand
    if (demand.unknownPlaces !== undefined) return demand.unknownPlaces
    const hold = (purpose: string, size: number) => this.#history.hold(purpose, now, size)
    return wantedSizes(demand, hold, unstarted)
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
