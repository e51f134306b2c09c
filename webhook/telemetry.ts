// The webhook's own Prometheus metrics. Not the metrics of MiniClusters, which the sidecar serves.
import { Counter, Histogram, Registry } from 'prom-client'
import { registerProcessGauges } from '#serving/process-gauges.ts'

/** In seconds. A review takes a fraction of a millisecond, with look-ups a few; the look-ups have a deadline of 2 s. */
const REVIEW_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

export interface ReviewCount {
  readonly decision: 'inject' | 'skip' | 'protect' | 'advise'
  readonly reason: string
  readonly dryRun: boolean
  readonly seconds: number
}

/** Strangers may ask for the metrics, too: the text is made once a second at most. */
const RENDER_MS = 1_000

/** Counters of reviews and certificates; `registry` has their values. */
export interface Telemetry {
  readonly registry: Registry
  readonly contentType: string
  /** The text of all metrics, at most one second old. */
  render(): Promise<string>
  countReview(review: ReviewCount): void
  /** @param reason the outcome, a word of a closed list (identities/refusal.ts) */
  countCertificate(reason: string): void
}

export function createTelemetry(): Telemetry {
  const registry = new Registry()
  const registers = [registry]
  registerProcessGauges(registry)
  const reviews = new Counter({
    name: 'flux_metrics_webhook_reviews_total',
    help: 'Admission reviews answered, by decision, reason and whether it was a dry run',
    labelNames: ['decision', 'reason', 'dry_run'],
    registers,
  })
  const durations = new Histogram({
    name: 'flux_metrics_webhook_review_duration_seconds',
    help: 'Time to answer an admission review, by reason',
    labelNames: ['reason'],
    buckets: REVIEW_BUCKETS,
    registers,
  })
  const certificates = new Counter({
    name: 'flux_metrics_webhook_certificates_total',
    help: 'Requests of sidecars for a certificate, by outcome',
    labelNames: ['reason'],
    registers,
  })
  return {
    registry,
    contentType: registry.contentType,
    render: renderer(registry),
    countReview({ decision, reason, dryRun, seconds }) {
      reviews.inc({ decision, reason, dry_run: String(dryRun) })
      durations.observe({ reason }, seconds)
    },
    countCertificate: (reason) => certificates.inc({ reason }),
  }
}

function renderer(registry: Registry): () => Promise<string> {
  let made: { readonly text: Promise<string>; readonly at: number } | undefined
  return () => {
    const now = performance.now()
    if (made === undefined || now - made.at >= RENDER_MS)
      made = { text: registry.metrics(), at: now }
    return made.text
  }
}
