// The Prometheus metrics of the sidecar itself: requests, the collector, the process. The state of Flux is in
// flux-gauges.ts.
import type Router from 'koa-router'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { CollectorObserver } from '#collecting/observer.ts'
import type { Reader } from '#scaling/snapshot.ts'
import { registerProcessGauges } from '#serving/process-gauges.ts'
import { type RequestObserver, requestObserver } from '#serving/request-observer.ts'

export const METRICS_PATH = '/metrics'

const REFRESH_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Counts requests and the collector's work in `registry`. */
export interface Telemetry extends CollectorObserver {
  readonly registry: Registry
  readonly observeRequest: RequestObserver
  /** Somebody was given numbers of Flux. */
  readonly answered: (reader: Reader) => void
}

export function createTelemetry(): Telemetry {
  const registry = new Registry()
  registerProcessGauges(registry)
  return {
    registry,
    observeRequest: requestObserver(registry),
    answered: answerCounter(registry),
    ...collectorObserver(registry),
  }
}

/**
 * Adds `/metrics`.
 *
 * @param prepare called before each scrape
 */
export function routePrometheus(
  router: Router,
  { registry }: Telemetry,
  prepare: () => void,
): void {
  router.get(METRICS_PATH, async (ctx) => {
    prepare()
    const text = await registry.metrics()
    ctx.set('Content-Type', registry.contentType)
    ctx.body = text
  })
}

function answerCounter(registry: Registry): Telemetry['answered'] {
  const counter = new Counter({
    name: 'flux_answers_total',
    help: 'Answers with numbers of Flux, by reader: hpa is the HPA controller that was given the published size',
    labelNames: ['reader'],
    registers: [registry],
  })
  // A reader that has read nothing is told by a 0. At each request only a child is counted up.
  const children = { hpa: counter.labels('hpa'), other: counter.labels('other') }
  for (const child of Object.values(children)) child.inc(0)
  return (reader) => children[reader].inc()
}

function collectorObserver(registry: Registry): CollectorObserver {
  const registers = [registry]
  const refreshes = new Histogram({
    name: 'flux_refresh_duration_seconds',
    help: 'Time to read Flux once',
    buckets: REFRESH_BUCKETS,
    registers,
  })
  const failures = new Counter({
    name: 'flux_refresh_failures_total',
    help: 'Connections and readings that failed, by error code',
    labelNames: ['code'],
    registers,
  })
  const connections = new Counter({
    name: 'flux_reconnects_total',
    help: 'Connections to the broker after the first',
    registers,
  })
  const connected = new Gauge({
    name: 'flux_connected',
    help: '1 while connected to the broker',
    registers,
  })
  const drains = new Counter({
    name: 'flux_drain_calls_total',
    help: 'Calls to drain or undrain ranks, by what (drain, undrain) and outcome',
    labelNames: ['what', 'outcome'],
    registers,
  })
  let isFirst = true
  return {
    refreshed: (tookMs) => refreshes.observe(tookMs / 1000),
    failed: (code) => failures.inc({ code }),
    connected() {
      if (!isFirst) connections.inc()
      isFirst = false
      connected.set(1)
    },
    disconnected: () => connected.set(0),
    drained: (call, outcome) => drains.inc({ what: call, outcome }),
  }
}
