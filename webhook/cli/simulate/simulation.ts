// A whole MiniCluster with its HPA on a simulated clock: a Flux instance, pods, the sidecar and the HPA controller. Metrics are
// computed by the code of the sidecar; Flux and Kubernetes are models.
import { METRICS } from '#metrics/catalog.ts'
import type { Facts } from '#reading/facts.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import type { SnapshotOptions } from '#scaling/snapshot-maker.ts'
import { Agenda } from '#simulation/agenda.ts'
import { Instance, type InstanceOptions } from '#simulation/instance.ts'
import type { Job, JobRequest } from '#simulation/jobs/job.ts'
import type { Transition } from '#simulation/jobs/job-table.ts'
import { type Decision, HpaController } from '../hpa-controller/controller.ts'
import type { HpaSpec, MetricIdentifier } from '../hpa-controller/spec.ts'
import type { NodePoolOptions } from './node-pool.ts'
import { POD_TIMES, Pods, type PodTimes, type Resize } from './pods.ts'
import { READ_TIMES, type ReadTimes, SimulatedSidecar } from './simulated-sidecar.ts'

/** A job, and when it is submitted. */
export interface Arrival {
  /** Milliseconds since the start. */
  readonly atMs: number
  readonly job: JobRequest
  /** When its user cancels it, in milliseconds since it was submitted. */
  readonly cancelAfterMs?: number
}

/** How long things take, in milliseconds. */
export interface Times extends PodTimes, ReadTimes {
  /** Between two syncs of the HPA: `--horizontal-pod-autoscaler-sync-period`. */
  readonly syncMs: number
  /** Until the first one. */
  readonly firstSyncMs: number
  /** From the request for the metric in a sync until the new size is set. */
  readonly decideMs: number
}

export const TIMES: Times = {
  ...POD_TIMES,
  ...READ_TIMES,
  syncMs: 15_000,
  firstSyncMs: 15_000,
  decideMs: 100,
}

/** The sidecar neither reads nor answers for some time. */
export interface SidecarOutage {
  readonly atMs: number
  readonly forMs: number
  readonly endsBy: 'reconnect' | 'restart'
}

export interface SimulationOptions {
  readonly instance: Omit<InstanceOptions, 'up' | 'now'>
  /** Number of pods at the start. */
  readonly size: number
  /** Nodes that can be had; pods beyond them stay Pending. Default: any number. */
  readonly available?: number
  /** How nodes are bought and given back. Default: at once, one for each pod. */
  readonly nodes?: NodePoolOptions
  readonly arrivals: readonly Arrival[]
  readonly outages?: readonly SidecarOutage[]
  readonly hpa: HpaSpec
  readonly snapshots: SnapshotOptions
  /** `broker.quorum`: the operator makes it the MiniCluster's `minSize`. Default: 1. */
  readonly quorum?: number
  readonly times?: Partial<Times>
  /** Called with every reading. */
  readonly onFacts?: (facts: Facts) => void
}

/** A job that failed because one of its pods ended. */
export interface Loss {
  readonly job: Job
  readonly rank: number
  /** The resize that ended the pod. */
  readonly resize: Resize | undefined
}

/** Any fixed time: Flux counts job ids from the start of the instance. */
const START = new Date('2026-01-01T00:00:00Z')

/** One run of a simulation; `step` runs the next event. */
export class Simulation {
  readonly instance: Instance
  readonly pods: Pods
  readonly #options: SimulationOptions
  readonly #times: Times
  readonly #agenda = new Agenda()
  readonly #sidecar: SimulatedSidecar
  readonly #hpa: HpaController
  readonly #losses: Loss[] = []
  #size: number
  #isResized = false
  #decision: Decision | undefined
  #arrivalsLeft: number

  constructor(options: SimulationOptions) {
    const { size, available, nodes, snapshots, quorum = 1, onFacts, arrivals } = options
    this.#options = options
    this.#times = { ...TIMES, ...options.times }
    this.#size = size
    this.#arrivalsLeft = arrivals.length
    this.#hpa = new HpaController(options.hpa)
    const instance = new Instance({ ...options.instance, up: size, now: START })
    const shared = { instance, agenda: this.#agenda, times: this.#times }
    this.instance = instance
    this.pods = new Pods({
      ...{ ...shared, size },
      ...(available !== undefined && { available }),
      ...(nodes && { nodes }),
    })
    this.#sidecar = new SimulatedSidecar({
      ...shared,
      snapshots,
      quorum,
      ...(onFacts && { onFacts }),
    })
    instance.on('nodes', () => this.#sidecar.wake())
    instance.on('jobs', (transitions) => {
      this.#recordLosses(transitions)
      this.#sidecar.wake()
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

  /** The snapshot that the sidecar answers from; `undefined` if it answers an error. */
  get published(): Snapshot | undefined {
    return this.#sidecar.published
  }

  /** The decision of the HPA's last sync. */
  get decision(): Decision | undefined {
    return this.#decision
  }

  get losses(): readonly Loss[] {
    return this.#losses
  }

  /** Whether all jobs were submitted and have ended. */
  get isDone(): boolean {
    return this.#arrivalsLeft === 0 && this.instance.active.size === 0
  }

  /** The part of the jobs that have ended, from 0 to 1. */
  get doneShare(): number {
    const { length } = this.#options.arrivals
    return length === 0 ? 1 : this.instance.tally().states.INACTIVE / length
  }

  /** Advances the clock to the next event, and runs it. */
  step(): void {
    const { nextAt = Number.POSITIVE_INFINITY } = this.#agenda
    const { nextDue = Number.POSITIVE_INFINITY } = this.instance
    this.instance.tick(Math.min(nextAt, nextDue))
    if (nextAt <= nextDue) this.#agenda.next()
  }

  /** Schedules something for a time of the run, such as an administrator's drain. */
  at(elapsedMs: number, act: () => void): void {
    this.#agenda.add(this.instance.startedAt + elapsedMs, act)
  }

  #plan(): void {
    const { arrivals, outages = [] } = this.#options
    for (const { atMs, job, cancelAfterMs } of arrivals) {
      this.at(atMs, () => {
        this.#arrivalsLeft -= 1
        const { id } = this.instance.submit(job)
        if (cancelAfterMs !== undefined)
          this.at(atMs + cancelAfterMs, () => this.instance.cancel(id))
      })
    }
    for (const { atMs, forMs, endsBy } of outages) {
      this.at(atMs, () => this.#sidecar.fail(forMs, endsBy))
    }
    this.at(this.#times.firstSyncMs, () => this.#sync())
    this.#sidecar.wake()
  }

  #sync(): void {
    const published = this.#sidecar.answer()
    const decision = this.#hpa.decide({
      now: this.elapsedMs,
      replicas: this.#size,
      // The operator does not write status.size before the first resize.
      statusReplicas: this.#isResized ? this.pods.size : 0,
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
        this.#isResized = true
        this.pods.resize({ size, readAt: published?.takenAt.getTime() })
      })
    }
    this.#agenda.add(now + this.#times.syncMs, () => this.#sync())
  }

  #recordLosses(transitions: readonly Transition[]): void {
    for (const { job, state } of transitions) {
      if (state !== 'CLEANUP' || job.exception?.type !== 'node-failure') continue
      const lost = job.allocations.find(({ node }) => !node.online)
      if (lost === undefined) continue
      const { rank } = lost.node
      this.#losses.push({ job, rank, resize: this.pods.resizeThatEnded(rank) })
    }
  }
}

/** The value that the metrics API would answer; `undefined` for an error. */
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
