// The reconcile in Prometheus' form. Only the leader has numbers; the other replicas' are absent, so that sums are right.
import { Gauge, type Registry } from 'prom-client'

/** What is counted. */
export type SuspicionKind = 'missing' | 'unreached' | 'unprotected'

export class ReconcileGauges {
  readonly #leader: Gauge
  readonly #found: Readonly<Record<SuspicionKind, Gauge>>
  readonly #last: Gauge

  constructor(registry: Registry) {
    const registers = [registry]
    this.#leader = new Gauge({
      name: 'flux_metrics_webhook_leader',
      help: 'Whether this replica looks for lead brokers without sidecar: 1 for one replica',
      registers,
    })
    const labelNames = ['reason']
    this.#found = {
      missing: new Gauge({
        name: 'flux_metrics_webhook_missing_sidecars',
        help: 'Lead brokers that should have a sidecar and have none, by reason; of the leader only',
        labelNames,
        registers,
      }),
      unreached: new Gauge({
        name: 'flux_metrics_webhook_unreached_miniclusters',
        help: 'MiniClusters whose metrics no HPA can read, or that share their API; of the leader only',
        labelNames,
        registers,
      }),
      unprotected: new Gauge({
        name: 'flux_metrics_webhook_unprotected_miniclusters',
        help: 'MiniClusters whose lead broker node autoscalers may evict; of the leader only',
        labelNames,
        registers,
      }),
    }
    this.#last = new Gauge({
      name: 'flux_metrics_webhook_reconcile_timestamp_seconds',
      help: 'When lead brokers were looked through last, in seconds since 1970; of the leader only',
      registers,
    })
    // A time of 0 is a time too.
    this.#last.remove()
  }

  /** @param counts the number of lead brokers for each reason */
  found(kind: SuspicionKind, counts: ReadonlyMap<string, number>): void {
    this.#found[kind].reset()
    for (const [reason, count] of counts) this.#found[kind].set({ reason }, count)
  }

  /** A pass has ended. */
  reconciled(): void {
    this.#last.set(Math.round(Date.now() / 1000))
  }

  leads(isLeader: boolean): void {
    this.#leader.set(isLeader ? 1 : 0)
    if (isLeader) return
    for (const gauge of Object.values(this.#found)) gauge.reset()
    this.#last.remove()
  }
}
