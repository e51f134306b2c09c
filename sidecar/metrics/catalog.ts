// The list of all metrics: our own, one row each, and those that users define. Discovery, OpenAPI, the reference's table and
// Prometheus are made from it.
import { GATEWAY_METRICS } from './gateway-metrics.ts'
import { JOB_METRICS } from './job-metrics.ts'
import type { Metric } from './metric.ts'
import { NODE_METRICS } from './node-metrics.ts'
import { SCALING_METRICS } from './scaling-metrics.ts'

/** Our own metrics, in the order in which the reference and discovery list them. */
export const BUILTIN_METRICS: readonly Metric[] = Object.freeze([
  ...NODE_METRICS,
  ...JOB_METRICS,
  ...SCALING_METRICS,
  ...GATEWAY_METRICS,
])

/** The rows of {@link BUILTIN_METRICS} by name. */
export const METRICS: ReadonlyMap<string, Metric> = new Map(
  BUILTIN_METRICS.map((metric) => [metric.name, metric]),
)

/** All metrics. Those that users define may change while the program runs. */
export class Catalog {
  #metrics = METRICS
  #userMetrics: readonly Metric[] = []
  #version = 0

  /** Changes whenever the metrics change, so that a caller knows when a copy of its own is out of date. */
  get version(): number {
    return this.#version
  }

  /** In the order in which discovery lists them, user metrics last. */
  all(): readonly Metric[] {
    return [...this.#metrics.values()]
  }

  find(name: string): Metric | undefined {
    return this.#metrics.get(name)
  }

  get userMetrics(): readonly Metric[] {
    return this.#userMetrics
  }

  /** Replaces the metrics that users define. None of them may have the name of a built-in one. */
  setUserMetrics(metrics: readonly Metric[]): void {
    this.#userMetrics = metrics
    this.#metrics = new Map([
      ...METRICS,
      ...metrics.map((metric) => [metric.name, metric] as const),
    ])
    this.#version += 1
  }
}
