// The reconcile in Prometheus' form. Only the leader has numbers; the other replicas' are absent, so that sums are right.
import { Gauge, type Registry } from 'prom-client'
import type { MissingReason } from './finding.ts'

export class ReconcileGauges {
  readonly #leader: Gauge
  readonly #missing: Gauge
  readonly #last: Gauge

  constructor(registry: Registry) {
    const registers = [registry]
    this.#leader = new Gauge({
      name: 'flux_metrics_webhook_leader',
      help: 'Whether this replica looks for lead brokers without sidecar: 1 for one replica',
      registers,
    })
    this.#missing = new Gauge({
      name: 'flux_metrics_webhook_missing_sidecars',
      help: 'Lead brokers that should have a sidecar and have none, by reason; of the leader only',
      labelNames: ['reason'],
      registers,
    })
    this.#last = new Gauge({
      name: 'flux_metrics_webhook_reconcile_timestamp_seconds',
      help: 'When lead brokers were looked through last, in seconds since 1970; of the leader only',
      registers,
    })
    // A time of 0 is a time too.
    this.#last.remove()
  }

  /** @param missing the number of lead brokers for each reason */
  reconciled(missing: ReadonlyMap<MissingReason, number>): void {
    this.#missing.reset()
    for (const [reason, count] of missing) this.#missing.set({ reason }, count)
    this.#last.set(Math.round(Date.now() / 1000))
  }

  leads(isLeader: boolean): void {
    this.#leader.set(isLeader ? 1 : 0)
    if (isLeader) return
    this.#missing.reset()
    this.#last.remove()
  }
}
