// A whole MiniCluster with its HPA on a clock of its own: an instance of Flux, pods, the sidecar's readings, the HPA's syncs.
// The arithmetic is the sidecar's and the HPA's own code; only Flux and Kubernetes are models. Minutes pass in milliseconds.
import { METRICS } from '#metrics/catalog.ts'
import type { Facts } from '#reading/facts.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import type { SnapshotOptions } from '#scaling/snapshot-maker.ts'
import { Agenda } from '#simulation/agenda.ts'
import { Instance, type InstanceOptions } from '#simulation/instance.ts'
import type { Job, JobRequest } from '#simulation/job.ts'
import type { Transition } from '#simulation/workload.ts'
import { type Decision, Hpa, type HpaOptions } from './hpa-controller/controller.ts'
import type { HpaSpec, MetricIdentifier } from './hpa-controller/spec.ts'
import { POD_TIMES, Pods, type PodTimes, type Resize } from './pods.ts'
import { READ_TIMES, Reader, type ReadTimes } from './simulated-sidecar.ts'

/** A job, and when it is submitted. */
export interface Arrival {
  /** Milliseconds since the start. */
  readonly atMs: number
  readonly job: JobRequest
}

/** How long things take, in milliseconds. */
export interface Times extends PodTimes, ReadTimes {
  /** Between two syncs of the HPA: `--horizontal-pod-autoscaler-sync-period`. */
  readonly syncMs: number
  /** Until the first one. */
  readonly firstSyncMs: number
  /** From a sync asking for the metric until the new size is set. */
  readonly decideMs: number
}

export const TIMES: Times = {
  ...POD_TIMES,
  ...READ_TIMES,
  syncMs: 15_000,
  firstSyncMs: 15_000,
  decideMs: 100,
}

/** The sidecar is gone for a while. */
export interface Absence {
  readonly atMs: number
  readonly forMs: number
  readonly comesBack: 'reconnected' | 'made anew'
}

export interface SimulationOptions {
  readonly instance: Omit<InstanceOptions, 'up' | 'now'>
  /** Pods that are there at the start. */
  readonly size: number
  readonly arrivals: readonly Arrival[]
  readonly absences?: readonly Absence[]
  readonly hpa: HpaSpec
  readonly hpaOptions?: HpaOptions
  readonly snapshots: SnapshotOptions
  /** `broker.quorum`: the operator makes it the MiniCluster's `minSize`. Default: 1. */
  readonly quorum?: number
  readonly times?: Partial<Times>
  /** Told of every reading. */
  readonly onFacts?: (facts: Facts) => void
}

/** A job that ended because a pod of it did. */
export interface Loss {
  readonly job: Job
  readonly rank: number
  /** The resize that took the pod away. */
  readonly resize: Resize | undefined
}

/** Some time within the life of this project: job ids, as Flux makes them, count from the start. */
const START = new Date('2026-01-01T00:00:00Z')

/** One run. */
export class Simulation {
  readonly instance: Instance
  readonly pods: Pods
  readonly #options: SimulationOptions
  readonly #times: Times
  readonly #agenda = new Agenda()
  readonly #reader: Reader
  readonly #hpa: Hpa
  readonly #losses: Loss[] = []
  #size: number
  #decision: Decision | undefined
  #arrivalsLeft: number

  constructor(options: SimulationOptions) {
    const { size, snapshots, quorum = 1, onFacts, arrivals } = options
    this.#options = options
    this.#times = { ...TIMES, ...options.times }
    this.#size = size
    this.#arrivalsLeft = arrivals.length
    this.#hpa = new Hpa(options.hpa, options.hpaOptions)
    const instance = new Instance({ ...options.instance, up: size, now: START })
    const shared = { instance, agenda: this.#agenda, times: this.#times }
    this.instance = instance
    this.pods = new Pods({ ...shared, size })
    this.#reader = new Reader({ ...shared, snapshots, quorum, ...(onFacts && { onFacts }) })
    instance.on('nodes', () => this.#reader.wake())
    instance.on('jobs', (transitions) => {
      this.#noteLosses(transitions)
      this.#reader.wake()
    })
    this.#plan()
  }

  /** Milliseconds since the start. */
  get elapsedMs(): number {
    return this.instance.now - this.instance.startedAt
  }

  /** `spec.size`. */
  get size(): number {
    return this.#size
  }

  /** What the sidecar answers with now; `undefined`: with an error. */
  get published(): Snapshot | undefined {
    return this.#reader.published
  }

  /** What the HPA's last sync came to. */
  get decision(): Decision | undefined {
    return this.#decision
  }

  get losses(): readonly Loss[] {
    return this.#losses
  }

  /** Whether all jobs have come and gone. */
  get isDone(): boolean {
    return this.#arrivalsLeft === 0 && this.instance.active === 0
  }

  /** Goes to the next moment in which something happens, and lets it happen. */
  step(): void {
    const { nextAt = Number.POSITIVE_INFINITY } = this.#agenda
    const { nextDue = Number.POSITIVE_INFINITY } = this.instance
    this.instance.tick(Math.min(nextAt, nextDue))
    if (nextAt <= nextDue) this.#agenda.next()
  }

  /** Has something happen at a time of the run, such as an administrator's drain. */
  at(elapsedMs: number, act: () => void): void {
    this.#agenda.add(this.instance.startedAt + elapsedMs, act)
  }

  #plan(): void {
    const { arrivals, absences = [] } = this.#options
    for (const { atMs, job } of arrivals) {
      this.at(atMs, () => {
        this.#arrivalsLeft -= 1
        this.instance.submit(job)
      })
    }
    for (const { atMs, forMs, comesBack } of absences) {
      this.at(atMs, () => this.#reader.leave(forMs, comesBack))
    }
    this.at(this.#times.firstSyncMs, () => this.#sync())
    this.#reader.wake()
  }

  #sync(): void {
    const published = this.#reader.answer()
    const decision = this.#hpa.decide({
      now: this.elapsedMs,
      replicas: this.#size,
      statusReplicas: this.pods.size,
      readyPods: this.pods.count === 0 ? undefined : this.pods.ready,
      metrics: this.#options.hpa.metrics.map((metric) =>
        metricValue(
          metric.type === 'Object' ? metric.object.metric : metric.external.metric,
          published,
        ),
      ),
    })
    this.#decision = decision
    const { now } = this.instance
    const size = decision.replicas
    if (size !== this.#size) {
      this.#agenda.add(now + this.#times.decideMs, () => {
        this.#size = size
        this.pods.resize({ size, readAt: published?.takenAt.getTime() })
      })
    }
    this.#agenda.add(now + this.#times.syncMs, () => this.#sync())
  }

  #noteLosses(transitions: readonly Transition[]): void {
    for (const { job, state } of transitions) {
      if (state !== 'CLEANUP' || job.exception?.type !== 'node-failure') continue
      const lost = job.allocations.find(({ node }) => !node.online)
      if (lost === undefined) continue
      const { rank } = lost.node
      this.#losses.push({ job, rank, resize: this.pods.resizeThatEnded(rank) })
    }
  }
}

/** What the metrics API would answer; `undefined`: with an error. */
function metricValue(
  { name, selector }: MetricIdentifier,
  snapshot: Snapshot | undefined,
): number | undefined {
  const metric = METRICS.get(name)
  if (snapshot === undefined || metric === undefined) return undefined
  const queue = selector?.matchLabels?.queue
  const value = metric.value(snapshot, queue === undefined ? {} : { queues: [queue] })
  return typeof value === 'number' ? value : undefined
}
