// Looks through the cluster every few minutes for lead brokers that should have a sidecar and have none, and tells their
// MiniClusters why. A webhook that does not answer is passed over, so that only this finds out what was missed. It changes
// no pod: the jobs of the MiniCluster would end.
import type { Registry } from 'prom-client'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/poll.ts'
import { decide, preselect } from '../admission/decision.ts'
import type { LookUps } from '../admission/look-ups.ts'
import type { EventRecorder } from '../events/event-recorder.ts'
import type { SidecarOptions } from '../injection/container.ts'
import { hasEnded, toPod } from '../injection/pod.ts'
import { type Cluster, ClusterError } from '../kubernetes/cluster.ts'
import { Outage } from '../kubernetes/outage.ts'
import { findMissing, type MissingReason } from './finding.ts'
import { KnownFindings } from './known-findings.ts'
import { type LeadBroker, type Survey, survey } from './lead-brokers.ts'
import type { Leadership } from './leadership.ts'
import { ReconcileGauges } from './reconcile-gauges.ts'

/** When the cluster is looked through. */
export interface ReconcilePace {
  /** After this replica has become the leader. */
  readonly firstMs: number
  /** Again, after that. */
  readonly intervalMs: number
  /** A younger pod may still be between its admission and its first reading. */
  readonly minAgeMs: number
}

const PACE: ReconcilePace = { firstMs: 30_000, intervalMs: 180_000, minAgeMs: 60_000 }

/** How often it is asked whether this replica leads, and whether a pass is due. */
const TICK_MS = 5_000

/** Lead brokers that are looked at closely in one pass, each with three readings: some five a second. */
const MAX_EXAMINED = 500

/** So that one namespace does not hold up the others. */
const MAX_EXAMINED_OF_NAMESPACE = 200

/** Namespaces in which nothing is injected (manifests/base/mutating-webhook.yaml), beside the webhook's own. */
const LEFT_OUT = ['kube-system', 'kube-public', 'kube-node-lease']

export interface ReconcileOptions {
  readonly cluster: Pick<Cluster, 'read' | 'list'>
  readonly leadership: Pick<Leadership, 'isLeader'>
  readonly lookUps: Pick<LookUps, 'gather'>
  readonly events: Pick<EventRecorder, 'record'>
  /** As for an admission: what a sidecar would get now. */
  readonly sidecar: () => SidecarOptions
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
  readonly #leftOut: ReadonlySet<string>
  readonly #gauges: ReconcileGauges
  readonly #outage: Outage
  readonly #poll: Poll
  #known = new KnownFindings()
  /** When the next pass is due; `undefined` while another replica leads. */
  #dueAt: number | undefined
  #missing = 0

  constructor(options: ReconcileOptions) {
    this.#options = options
    this.#pace = { ...PACE, ...options.pace }
    this.#now = options.now ?? (() => performance.now())
    this.#log = options.log.child({ component: 'reconcile' })
    this.#leftOut = new Set([...LEFT_OUT, options.namespace])
    this.#gauges = new ReconcileGauges(options.registry)
    this.#outage = new Outage(this.#log, 'look for lead brokers without sidecar')
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
      // Another leader has told everybody meanwhile.
      if (this.#dueAt !== undefined) this.#known = new KnownFindings()
      this.#dueAt = undefined
      return true
    }
    this.#dueAt ??= this.#now() + this.#pace.firstMs
    if (this.#now() < this.#dueAt) return true
    this.#outage.report(
      await this.#pass().then(
        () => [],
        (error: unknown) => [error],
      ),
    )
    this.#dueAt = this.#now() + this.#pace.intervalMs
    return true
  }

  async #pass(): Promise<void> {
    const { cluster, leadership } = this.#options
    const found = await survey(cluster)
    if (found.isCut) this.#log.warn({}, 'there are more lead brokers than are looked through')
    const budget = new Budget()
    const counts = new Map<MissingReason, number>()
    for (const pod of this.#lacking(found)) {
      if (!leadership.isLeader) return
      const reason = await this.#reasonOf(pod, budget)
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1)
    }
    this.#gauges.reconciled(counts)
    const missing = counts.values().reduce((sum, count) => sum + count, 0)
    if (missing === 0 && this.#missing > 0) {
      this.#log.info({}, 'no lead broker lacks its sidecar any more')
    }
    this.#missing = missing
  }

  #lacking({ leadBrokers, asks }: Survey): readonly LeadBroker[] {
    const before = Date.now() - this.#pace.minAgeMs
    return leadBrokers.filter(
      ({ namespace, job, createdAt, isInjected, isEnabled }) =>
        !isInjected &&
        createdAt <= before &&
        !this.#leftOut.has(namespace) &&
        (isEnabled ?? asks(namespace, job.name)),
    )
  }

  async #reasonOf(pod: LeadBroker, budget: Budget): Promise<MissingReason | undefined> {
    const known = this.#known.reasonOf(pod, this.#now())
    if (known !== 'NotExamined' || !budget.take(pod.namespace)) return known
    try {
      return await this.#examine(pod)
    } catch (error) {
      if (error instanceof ClusterError) throw error
      this.#log.debug({ err: error, pod: pod.name, namespace: pod.namespace }, 'not examined')
      return 'NotExamined'
    }
  }

  /** Reads the pod and its owners, decides as an admission would, and tells the MiniCluster. */
  async #examine(lead: LeadBroker): Promise<MissingReason | undefined> {
    const { cluster, lookUps, sidecar, events } = this.#options
    const { namespace, name, uid } = lead
    const pod = toPod(await cluster.read({ apiVersion: 'v1', kind: 'Pod', namespace, name }))
    if (pod === undefined || pod.metadata.uid !== uid || hasEnded(pod)) return undefined
    const candidate = preselect(pod)
    if (candidate.kind === 'skip') return undefined
    const found = await lookUps.gather(candidate, namespace)
    const { identity, frontProxy } = sidecar()
    const prerequisites = {
      hasAuthority: identity !== undefined,
      knowsFrontProxy: frontProxy !== undefined,
    }
    const finding = findMissing(lead, decide(pod, found, prerequisites).decision)
    const reason = found.minicluster === undefined ? undefined : finding?.reason
    if (this.#known.learn(lead, reason, this.#now()) && found.minicluster && finding) {
      events.record(found.minicluster, finding.event)
      const minicluster = found.minicluster.metadata.name
      const { message: why } = finding.event
      this.#log.warn(
        { namespace, pod: name, minicluster, reason, why },
        'a lead broker lacks its sidecar',
      )
    }
    return reason
  }
}

/** How many lead brokers may still be looked at closely in a pass. */
class Budget {
  #left = MAX_EXAMINED
  readonly #ofNamespace = new Map<string, number>()

  /** @returns whether one more may be */
  take(namespace: string): boolean {
    const taken = this.#ofNamespace.get(namespace) ?? 0
    if (this.#left === 0 || taken === MAX_EXAMINED_OF_NAMESPACE) return false
    this.#left -= 1
    this.#ofNamespace.set(namespace, taken + 1)
    return true
  }
}
