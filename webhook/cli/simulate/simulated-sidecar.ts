// The sidecar of a simulated MiniCluster. It reads after a change or when the interval is over, makes snapshots with the code
// of the real sidecar, publishes them a little later, and drains ranks. It can fail for some time.
import { listIds } from '#flux/sets/id-list.ts'
import { isEmpty } from '#flux/sets/idset.ts'
import type { Facts } from '#reading/facts.ts'
import { MAX_WAITING } from '#reading/jobs/pending-list.ts'
import { drainReason } from '#scaling/drain-reason.ts'
import type { DrainPlan } from '#scaling/drains/drain-before-shrink.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { SnapshotMaker, type SnapshotOptions } from '#scaling/snapshot-maker.ts'
import type { Agenda } from '#simulation/agenda.ts'
import type { Instance } from '#simulation/instance.ts'
import { simulatedFacts } from './simulated-facts.ts'

/** How often it reads, in milliseconds; as sidecar/collecting/pace.ts has it. */
export interface ReadTimes {
  /** The shortest time between two readings. */
  readonly minIntervalMs: number
  /** The longest time between two readings. */
  readonly maxIntervalMs: number
  /** How long a reading takes: a snapshot is this old when it is published. */
  readonly readMs: number
}

export const READ_TIMES: ReadTimes = { minIntervalMs: 250, maxIntervalMs: 10_000, readMs: 10 }

/** What listing one waiting job takes of the broker's time. */
const LISTING_MS = 0.003

/** The next reading waits at least this factor times the duration of that; as sidecar/collecting/pace.ts has it. */
const COST_FACTOR = 20

export interface SimulatedSidecarOptions {
  readonly instance: Instance
  readonly agenda: Agenda
  readonly times: ReadTimes
  readonly snapshots: SnapshotOptions
  /** `broker.quorum` */
  readonly quorum: number
  /** Called with every reading. */
  readonly onFacts?: (facts: Facts) => void
}

/** Reads one instance and publishes its snapshots. */
export class SimulatedSidecar {
  readonly #options: SimulatedSidecarOptions
  #snapshots: SnapshotMaker
  #published: Snapshot | undefined
  #readAt = Number.NEGATIVE_INFINITY
  /** When the next reading is due; entries of the agenda for other times are ignored. */
  #dueAt = Number.POSITIVE_INFINITY
  /** Number of outages that have not ended. */
  #outages = 0

  constructor(options: SimulatedSidecarOptions) {
    this.#options = options
    this.#snapshots = new SnapshotMaker(options.snapshots)
  }

  /** The snapshot that it answers from; `undefined` if it answers an error. */
  get published(): Snapshot | undefined {
    return this.#published
  }

  /** Answers an HPA. `undefined` is an error. */
  answer(): Snapshot | undefined {
    const { instance } = this.#options
    if (this.#published !== undefined)
      this.#snapshots.noteAnswer(this.#published, instance.now, 'hpa')
    return this.#published
  }

  /** Reads as soon as the pace allows. */
  wake(): void {
    if (this.#outages > 0) return
    this.#readBy(Math.max(this.#options.instance.now, this.#readAt + this.#pauseMs()))
  }

  /** Stops reading and answering for some time. After a restart its memory is empty; after a reconnect it is not. */
  fail(forMs: number, endsBy: 'reconnect' | 'restart'): void {
    const { instance, agenda, snapshots } = this.#options
    this.#outages += 1
    this.#published = undefined
    this.#dueAt = Number.POSITIVE_INFINITY
    agenda.add(instance.now + forMs, () => {
      this.#outages -= 1
      if (endsBy === 'restart') this.#snapshots = new SnapshotMaker(snapshots)
      else this.#snapshots.restart()
      this.wake()
    })
  }

  /** Readings of long queues cost the broker more, so there are fewer of them. */
  #pauseMs(): number {
    const { instance, times } = this.#options
    const { DEPEND, PRIORITY, SCHED } = instance.tally().states
    const listed = Math.min(DEPEND + PRIORITY + SCHED, MAX_WAITING)
    return Math.max(times.minIntervalMs, COST_FACTOR * listed * LISTING_MS)
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
    const facts = { ...simulatedFacts(instance, quorum), tookMs: readMs }
    onFacts?.(facts)
    const snapshots = this.#snapshots
    // The snapshot is made and published when the reading has ended.
    agenda.add(instance.now + readMs, () => {
      if (this.#outages > 0 || this.#snapshots !== snapshots) return
      const { snapshot, drains } = snapshots.make(facts, instance.now)
      this.#published = snapshot
      if (drains === undefined) return
      this.#carryOut(drains)
      if (drains.lookAt === undefined) return
      this.#readBy(Math.max(instance.now, this.#readAt + this.#pauseMs(), drains.lookAt))
    })
    this.#readBy(instance.now + times.maxIntervalMs)
  }

  /** As Flux does: if one of the ranks is drained already, none is drained. */
  #carryOut({ drain, undrain, preparing }: DrainPlan): void {
    const { instance, snapshots } = this.#options
    const isDrained = (rank: number) => instance.nodes[rank]?.drain !== undefined
    if (!isEmpty(undrain)) instance.undrain([...listIds(undrain)].filter(isDrained))
    const ranks = [...listIds(drain)]
    if (ranks.length === 0 || preparing === undefined || ranks.some(isDrained)) return
    instance.drain(ranks, drainReason(snapshots.drains?.instance ?? '', preparing))
  }
}
