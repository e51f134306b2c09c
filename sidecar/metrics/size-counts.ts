// The sizes of a MiniCluster, and the ranks that are in their way, as numbers for whoever watches them over time. Pure.
import { countIds } from '#flux/sets/idset.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { METRICS } from './catalog.ts'

/** A number of nodes; `undefined` is what cannot be told now. */
export type SizeCount = (snapshot: Snapshot) => number | undefined

/** How each is counted: as the metric of the whole instance, where there is one. */
export const SIZE_COUNTS = {
  /** The published size. */
  desired: metric('node_desired_count'),
  floor: metric('node_floor_count'),
  demand: metric('node_demand_count'),
  pending: metric('node_pending_count'),
  stranded: metric('node_stranded_count'),
  /** Drained by us, to shrink. */
  ownDrained: ({ ranks }) => countIds(ranks.ownDrained),
  /** Given up: they have not come for long. */
  lost: ({ lost }) => countIds(lost),
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
