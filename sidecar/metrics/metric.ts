// What a metric is: a name, its definition, and how it is read off a snapshot.
import type { Unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'

/** Which part of the instance a value is asked for: the whole, or some queues. */
export interface Selection {
  /** Names of queues; `undefined` is the whole instance. Each exists in the snapshot. */
  readonly queues?: readonly string[]
}

/** The name under which every object explains its size, beside its metrics: no metric may have it. */
export const EXPLAIN = 'explain'

/** One metric: what it is called, what it means and how it is read off a {@link Snapshot}. */
export interface Metric {
  /** The name in API paths, e.g. `node_up_count`. */
  readonly name: string
  /** Its definition, one sentence. */
  readonly help: string
  readonly unit: 'nodes' | 'cores' | 'gpus' | 'jobs' | 'seconds' | (string & {})
  /** All of ours are gauges: they say how many there are now. */
  readonly kind: 'gauge'
  /** Metric labels that a `metricLabelSelector` may select by. */
  readonly labels: readonly 'queue'[]
  /**
   * Whether the values of several queues are those of their parts added up. Where not, the External API, whose readers add
   * up, answers for one queue at a time. Default: true.
   */
  readonly isSum?: boolean
  /** Whether the value depends on when it is asked for, and not on the snapshot alone. Default: false. */
  readonly isOfNow?: boolean
  /** The value: a number ≥ 0, or why it is not known. */
  value(snapshot: Snapshot, selection: Selection): number | Unknown
}
