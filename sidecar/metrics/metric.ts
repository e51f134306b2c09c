// The type of a metric: its name, its definition, and how its value is computed from a snapshot.
import type { Unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'

/** The part of the instance that a value is computed for: all of it, or some queues. */
export interface Selection {
  /** Names of queues; `undefined` is the whole instance. Each exists in the snapshot. */
  readonly queues?: readonly string[]
}

/** Not a metric: the path beside the metrics under which an object explains its size. No metric may have this name. */
export const EXPLAIN = 'explain'

export interface Metric {
  /** The name in API paths, e.g. `node_up_count`. */
  readonly name: string
  /** Its definition, one sentence. */
  readonly help: string
  readonly unit: 'nodes' | 'cores' | 'gpus' | 'jobs' | 'seconds' | (string & {})
  /** All metrics are gauges: each is a present value. */
  readonly kind: 'gauge'
  /** Metric labels that a `metricLabelSelector` may select by. */
  readonly labels: readonly 'queue'[]
  /**
   * Whether the value for several queues or MiniClusters is the sum of their values. If not, the External API answers for one
   * at a time only, because its clients add values up. Default: true.
   */
  readonly isSum?: boolean
  /**
   * What an HPA must know. `size`: it is a size, of which one node is worth 1. `supply`: it counts what there is, and not what
   * jobs need, so that an HPA follows itself. Default: neither.
   */
  readonly role?: 'size' | 'supply'
  /** Whether an HPA that follows it acts on the published size, and on no smaller one. Default: false. */
  readonly isPublishedSize?: boolean
  /** Whether the value also depends on the present time, not only on the snapshot. Default: false. */
  readonly isTimeDependent?: boolean
  /** The value: a number ≥ 0, or why it is not known. */
  value(snapshot: Snapshot, selection: Selection): number | Unknown
}
