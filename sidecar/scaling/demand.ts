// How large the MiniCluster should be, and why: pure functions of what one reading told. Sizes are numbers of pods: a size
// of n has the ranks 0 to n − 1, because an Indexed Job always loses its highest indices, busy or not.
import { highestId, type Idset, subtractIdsets, unionIdsets } from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import type { Facts, Remembered } from '#reading/facts.ts'
import { Board, type BoardFacts, type BoardSums } from './pending-placement.ts'

/** What a demand is computed from. */
export interface DemandFacts extends BoardFacts, Pick<Facts, 'offline' | 'quorum'>, Remembered {}

/** What is wanted of the MiniCluster. */
export interface Demand extends BoardSums {
  readonly kind: 'known'
  /** Size of the MiniCluster if every rank of R is started. */
  readonly maximum: number
  /** Never fewer: 1 + the highest busy rank. */
  readonly floor: number
  /** Ranks that must not be lost: with something allocated, or released a moment ago; the lead's always. */
  readonly busy: Idset
  readonly quorum: number
  /** Why some jobs' GPUs are not known; `undefined` where no job can want any, or all are known. */
  readonly untold: string | undefined
  /** Whether pending jobs are missing, because the list was cut: there may be work for every rank. */
  readonly isCut: boolean
}

const LEAD: Idset = { ranges: [{ first: 0, last: 0 }] }

/** Computes what is wanted. What a rank that is not there any more holds, until its job is cleaned up, is not live. */
export function computeDemand(facts: DemandFacts): Demand {
  const { all, quorum, waiting } = facts
  const allocated = subtractIdsets(ranksOf(facts.allocated), facts.offline)
  const busy = unionIdsets(unionIdsets(allocated, facts.recent), LEAD)
  const board = new Board(facts, allocated)
  for (const job of waiting.jobs) board.add(job)
  return {
    kind: 'known',
    maximum: 1 + (highestId(ranksOf(all)) ?? 0),
    floor: 1 + (highestId(busy) ?? 0),
    busy,
    quorum,
    untold: waiting.untold,
    isCut: waiting.jobs.length < waiting.total,
    ...board.sums(),
  }
}
