// Finds contradictions between the parts of one reading: Flux answers them one after the other, and its state may change in
// between. What to do then is decided in instance-reader.ts. Pure.
import { drainedRanks, type ResourceStatus, type SchedStatus } from '#flux/calls/resource-calls.ts'
import { type Idset, intersectIdsets, isEmpty, subtractIdsets } from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'

/** A contradiction, as a clause for an error message. For the scheduler, every offline or drained rank of R is down. */
export function contradictionOf(sched: SchedStatus, status: ResourceStatus): string | undefined {
  const down = ranksOf(sched.down)
  const all = ranksOf(sched.all)
  const up = (ranks: Idset) => subtractIdsets(intersectIdsets(ranks, all), down)
  if (!isEmpty(up(status.offline))) return 'ranks are both offline and up'
  if (!isEmpty(up(drainedRanks(status.drains)))) return 'ranks are both drained and up'
  if (!isEmpty(subtractIdsets(down, all))) return 'ranks are down but not in R'
  return undefined
}
