// Finds contradictions between the parts of one reading: Flux answers them one after the other, and its state may change in
// between. What to do then is decided in instance-reader.ts. Pure.
import { drainedRanks, type ResourceStatus, type SchedStatus } from '#flux/calls/resource-calls.ts'
import {
  countIds,
  formatIdset,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'

/** Of more ranks the text is cut. */
const MAX_TEXT = 60

/** What ends a contradiction that lasts. */
const CURE = 'if this lasts, reload the scheduler (flux module reload)'

/**
 * A contradiction, as a clause for an error message, with the ranks and the cure. For the scheduler, every offline or drained
 * rank of R is down.
 */
export function contradictionOf(sched: SchedStatus, status: ResourceStatus): string | undefined {
  const down = ranksOf(sched.down)
  const all = ranksOf(sched.all)
  const up = (ranks: Idset) => subtractIdsets(intersectIdsets(ranks, all), down)
  return (
    describe(up(status.offline), 'both offline and up') ??
    describe(up(drainedRanks(status.drains)), 'both drained and up') ??
    describe(subtractIdsets(down, all), 'down but not in R')
  )
}

function describe(ranks: Idset, what: string): string | undefined {
  if (isEmpty(ranks)) return undefined
  const text = formatIdset(ranks)
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
  return `${countIds(ranks) === 1 ? `rank ${short} is` : `ranks ${short} are`} ${what}; ${CURE}`
}
