// Looks through the cluster every few minutes for what admission could not tell anybody: lead brokers that should have a
// sidecar and have none, because a webhook that does not answer is passed over, metrics that nobody can rely on, and pods that
// node autoscalers may evict. It tells the MiniClusters, and changes nothing: to replace a pod would end its jobs.
import type { Registry } from 'prom-client'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/waiting/poll.ts'
import type { LookUps } from '../admission/look-ups/look-ups.ts'
import type { EventRecorder } from '../events/event-recorder.ts'
import type { SidecarOptions } from '../injection/container.ts'
import type { Topology } from '../kubernetes/aggregation/reach.ts'
import { type Cluster, ClusterError } from '../kubernetes/cluster.ts'
import { isTooLong } from '../kubernetes/connection/api-connection.ts'
import { Outage } from '../kubernetes/outage.ts'
import { Budget } from './budget.ts'
import { KnownReasons, NOT_EXAMINED } from './known-reasons.ts'
import { type LeadBroker, type Survey, survey } from './lead-brokers.ts'
import type { Leadership } from './leadership.ts'
import { MissingSidecar } from './missing-sidecar.ts'
import { ReconcileGauges, type SuspicionKind } from './reconcile-gauges.ts'
import type { Suspicion } from './suspicion.ts'
import { UnprotectedPods } from './unprotected-pods.ts'
import { UnreachedMetrics } from './unreached-metrics.ts'

/** When the cluster is looked through. */
export interface ReconcilePace {
  /** After this replica has become the leader. */
  readonly firstMs: number
  /** Again, after that. */
  readonly intervalMs: number
  /** The age from which a pod without sidecar was missed. Admission itself has just told about a younger one. */
  readonly minAgeMs: number
}

const PACE: ReconcilePace = { firstMs: 30_000, intervalMs: 180_000, minAgeMs: 30_000 }

const KINDS: readonly SuspicionKind[] = ['missing', 'unreached', 'unprotected']

/** How often it is asked whether this replica leads, and whether a pass is due. */
const TICK_MS = 5_000

export interface ReconcileOptions {
  readonly cluster: Pick<Cluster, 'read' | 'list'>
  readonly leadership: Pick<Leadership, 'isLeader'>
  readonly lookUps: Pick<LookUps, 'gather' | 'find'>
  readonly events: Pick<EventRecorder, 'record'>
  readonly sidecar: () => SidecarOptions
  readonly topology: () => Topology | undefined
  /** Of the webhook. */
  readonly namespace: string
  readonly registry: Registry
  readonly log: Logger
  readonly pace?: Partial<ReconcilePace> | undefined
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
}

export class Reconcile {
  readonly #options: ReconcileOptions
  readonly #pace: ReconcilePace
  readonly #now: () => number
  readonly #log: Logger
  readonly #suspicions: Readonly<Record<SuspicionKind, Suspicion>>
  readonly #gauges: ReconcileGauges
  readonly #outage: Outage
  readonly #poll: Poll
  #known = nothingKnown()
  /** When the next pass is due; `undefined` while another replica leads. */
  #dueAt: number | undefined

  constructor(options: ReconcileOptions) {
    this.#options = options
    this.#pace = { ...PACE, ...options.pace }
    this.#now = options.now ?? (() => performance.now())
    this.#log = options.log.child({ component: 'reconcile' })
    const { minAgeMs } = this.#pace
    this.#suspicions = {
      missing: new MissingSidecar({ ...options, minAgeMs }),
      unreached: new UnreachedMetrics(options),
      unprotected: new UnprotectedPods(options),
    }
    this.#gauges = new ReconcileGauges(options.registry)
    this.#outage = new Outage(this.#log, 'look through the lead brokers')
    this.#poll = new Poll({ task: () => this.tick(), intervalMs: TICK_MS, pauseCapMs: TICK_MS })
  }

  start(): void {
    void this.#poll.start()
  }

  close(): void {
    this.#poll.close()
  }

  /** Makes a pass if this replica leads, and one is due. Never rejects. */
  async tick(): Promise<true> {
    const { isLeader } = this.#options.leadership
    this.#gauges.leads(isLeader)
    if (!isLeader) {
      // By the time that this replica leads again, another one has told everybody.
      if (this.#dueAt !== undefined) this.#known = nothingKnown()
      this.#dueAt = undefined
      return true
    }
    this.#dueAt ??= this.#now() + this.#pace.firstMs
    if (this.#now() < this.#dueAt) return true
    try {
      await this.#pass()
      this.#outage.report([])
    } catch (error) {
      this.#outage.report([error])
    }
    this.#dueAt = this.#now() + this.#pace.intervalMs
    return true
  }

  async #pass(): Promise<void> {
    const found = await survey(this.#options.cluster)
    if (found.isCut) this.#log.warn({}, 'there are more lead brokers than are looked through')
    for (const kind of KINDS) {
      const counts = await this.#look(kind, found)
      if (!this.#options.leadership.isLeader) return
      this.#gauges.found(kind, counts)
    }
    this.#gauges.reconciled()
  }

  /** @returns how many lead brokers there are for each reason */
  async #look(kind: SuspicionKind, found: Survey): Promise<ReadonlyMap<string, number>> {
    const budget = new Budget()
    const counts = new Map<string, number>()
    const reasons = this.#known[kind]
    for (const lead of reasons.longestAgoFirst(this.#suspicions[kind].suspects(found))) {
      if (!this.#options.leadership.isLeader) return counts
      const known = reasons.reasonOf(lead, this.#now())
      const isToExamine = known === NOT_EXAMINED && budget.take(lead.namespace)
      const reason = isToExamine ? await this.#examine(kind, lead) : known
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    }
    return counts
  }

  async #examine(kind: SuspicionKind, lead: LeadBroker): Promise<string | undefined> {
    const { namespace, name: pod } = lead
    const suspicion = this.#suspicions[kind]
    this.#known[kind].look(lead, this.#now())
    try {
      const found = await suspicion.examine(lead)
      const isToSay = this.#known[kind].learn(lead, found?.reason, this.#now())
      if (found === undefined || !isToSay) return found?.reason
      const { reason, event, minicluster } = found
      // The next pass tries again.
      if (!this.#options.events.record(minicluster, event)) this.#known[kind].forget(lead)
      const { name } = minicluster.metadata
      const facts = { namespace, pod, minicluster: name, reason, why: event.message }
      this.#log.warn(facts, suspicion.what)
      return reason
    } catch (error) {
      if (error instanceof ClusterError && !isTooLong(error)) throw error
      this.#log.debug({ err: error, namespace, pod }, 'cannot examine a lead broker')
      return NOT_EXAMINED
    }
  }
}

function nothingKnown(): Readonly<Record<SuspicionKind, KnownReasons>> {
  return {
    missing: new KnownReasons(),
    unreached: new KnownReasons(),
    unprotected: new KnownReasons(),
  }
}
