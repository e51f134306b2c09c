// The sizes of a MiniCluster, and the ranks that are in their way, as numbers for whoever watches them over time. Pure.
import { countIds } from '#flux/idset.ts'
import { METRICS } from './catalog.ts'
import type { Snapshot } from './snapshot.ts'

/** Numbers of nodes; `undefined` is what cannot be told now. */
export interface SizeCounts {
  /** The published size. */
  readonly desired: number | undefined
  readonly floor: number | undefined
  readonly demand: number | undefined
  readonly pending: number | undefined
  readonly stranded: number | undefined
  /** Drained by us, to shrink. */
  readonly ownDrained: number
  /** Given up: they have not come for long. */
  readonly lost: number
}

/** Counts them, as the metrics of the whole instance do. */
export function countSizes(snapshot: Snapshot): SizeCounts {
  const read = (name: string) => {
    const value = METRICS.get(name)?.value(snapshot, {})
    return typeof value === 'number' ? value : undefined
  }
  return {
    desired: read('node_desired_count'),
    floor: read('node_floor_count'),
    demand: read('node_demand_count'),
    pending: read('node_pending_count'),
    stranded: read('node_stranded_count'),
    ownDrained: countIds(snapshot.ownDrains),
    lost: countIds(snapshot.lost),
  }
}
