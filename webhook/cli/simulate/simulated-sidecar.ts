// The sidecar of a simulated MiniCluster: reads when something changed or time is up, concludes with the real sidecar's own
// code, publishes a little later, drains. It can be away for a while.
import { listIds } from '#flux/sets/id-list.ts'
import { isEmpty } from '#flux/sets/idset.ts'
import type { Facts } from '#reading/facts.ts'
import type { DrainPlan } from '#scaling/drain-before-shrink.ts'
import { drainReason } from '#scaling/drain-reason.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { SnapshotMaker, type SnapshotOptions } from '#scaling/snapshot-maker.ts'
import type { Agenda } from '#simulation/agenda.ts'
import type { Instance } from '#simulation/instance.ts'
import { factsOf } from './simulated-facts.ts'

/** How often it reads, in milliseconds; as metrics/collector.ts does with streams. */
export interface ReadTimes {
  /** Not more often than this. */
  readonly minIntervalMs: number
  /** Not less often than this. */
  readonly maxIntervalMs: number
  /** How long a reading takes: so old is what is published. */
  readonly readMs: number
}

export const READ_TIMES: ReadTimes = { minIntervalMs: 250, maxIntervalMs: 10_000, readMs: 10 }

export interface ReaderOptions {
  readonly instance: Instance
  readonly agenda: Agenda
  readonly times: ReadTimes
  readonly snapshots: SnapshotOptions
  /** `broker.quorum` */
  readonly quorum: number
  /** Told of every reading. */
  readonly onFacts?: (facts: Facts) => void
}

/** Reads one instance. */
export class Reader {
  readonly #options: ReaderOptions
  #snapshots: SnapshotMaker
  #published: Snapshot | undefined
  #readAt = Number.NEGATIVE_INFINITY
  /** When the next reading is due; entries of the agenda for another time are void. */
  #dueAt = Number.POSITIVE_INFINITY
  /** Absences that have not ended. */
  #absences = 0

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#snapshots = new SnapshotMaker(options.snapshots)
  }

  /** What it answers with now; `undefined`: with an error. */
  get published(): Snapshot | undefined {
    return this.#published
  }

  /** Answers an HPA; `undefined`: with an error. */
  answer(): Snapshot | undefined {
    const { instance } = this.#options
    if (this.#published !== undefined) this.#snapshots.noteAnswer(this.#published, instance.now)
    return this.#published
  }

  /** Reads as soon as it may. */
  wake(): void {
    if (this.#absences > 0) return
    const { instance, times } = this.#options
    this.#readBy(Math.max(instance.now, this.#readAt + times.minIntervalMs))
  }

  /** Is gone for a while, and so are its answers. What it remembered is lost if it is `made` anew, not if it reconnects. */
  leave(forMs: number, comesBack: 'reconnected' | 'made anew'): void {
    const { instance, agenda, snapshots } = this.#options
    this.#absences += 1
    this.#published = undefined
    this.#dueAt = Number.POSITIVE_INFINITY
    agenda.add(instance.now + forMs, () => {
      this.#absences -= 1
      if (comesBack === 'made anew') this.#snapshots = new SnapshotMaker(snapshots)
      else this.#snapshots.restart()
      this.wake()
    })
  }

  #readBy(at: number): void {
    if (at >= this.#dueAt) return
    this.#dueAt = at
    this.#options.agenda.add(at, () => {
      if (this.#dueAt === at) this.#read()
    })
  }

  #read(): void {
    const { instance, agenda, times, quorum, onFacts } = this.#options
    this.#readAt = instance.now
    this.#dueAt = Number.POSITIVE_INFINITY
    const { readMs } = times
    const facts = { ...factsOf(instance, quorum), tookMs: readMs }
    onFacts?.(facts)
    const snapshots = this.#snapshots
    // What is concluded is concluded when the reading has ended, and published in the same moment.
    agenda.add(instance.now + readMs, () => {
      if (this.#absences > 0 || this.#snapshots !== snapshots) return
      const { snapshot, drains } = snapshots.make(facts, instance.now)
      this.#published = snapshot
      if (drains === undefined) return
      this.#carryOut(drains)
      if (drains.lookAt === undefined) return
      this.#readBy(Math.max(instance.now, this.#readAt + times.minIntervalMs, drains.lookAt))
    })
    this.#readBy(instance.now + times.maxIntervalMs)
  }

  /** As Flux does it: of ranks one of which is drained already, none is drained. */
  #carryOut({ drain, undrain, preparing }: DrainPlan): void {
    const { instance, snapshots } = this.#options
    const isDrained = (rank: number) => instance.nodes[rank]?.drain !== undefined
    if (!isEmpty(undrain)) instance.undrain([...listIds(undrain)].filter(isDrained))
    const ranks = [...listIds(drain)]
    if (ranks.length === 0 || preparing === undefined || ranks.some(isDrained)) return
    instance.drain(ranks, drainReason(snapshots.drains?.instance ?? '', preparing))
  }
}
