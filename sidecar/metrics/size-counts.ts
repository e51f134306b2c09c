// The sizes of a MiniCluster, the ranks that it cannot shrink by, and the jobs that no size helps, as numbers for Prometheus. Pure.
import { countIds } from '#flux/sets/idset.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { METRICS } from './catalog.ts'

/** A number of nodes or jobs; `undefined` if it is not known now. */
type SizeCount = (snapshot: Snapshot) => number | undefined

/** A count that is also a metric has the value of the metric for the whole instance. */
export const SIZE_COUNTS = {
  /** The published size. */
  desired: metric('node_desired_count'),
  floor: metric('node_floor_count'),
  demand: metric('node_demand_count'),
  pending: metric('node_pending_count'),
  stranded: metric('node_stranded_count'),
  /** Ranks that the sidecar drained, to shrink. */
  ownDrained: ({ ranks }) => countIds(ranks.ownDrained),
  /** Ranks that have been missing for the join timeout. */
  lost: ({ lost }) => countIds(lost),
  /** Jobs that ask for more than R has. */
  infeasible: metric('job_infeasible_count'),
  /** Jobs that the scheduler refused. */
  refused: metric('job_unsatisfiable_count'),
  /** Jobs that more nodes did not help. */
  unhelped: metric('job_unhelped_count'),
} as const satisfies Readonly<Record<string, SizeCount>>

/** @throws RangeError if there is no such metric */
function metric(name: string): SizeCount {
  const found = METRICS.get(name)
  if (found === undefined) throw new RangeError(`Cannot find metric "${name}"`)
  return (snapshot) => {
    const value = found.value(snapshot, {})
    return typeof value === 'number' ? value : undefined
  }
}
