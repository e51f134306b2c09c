// How large the MiniCluster should be, and why: pure functions of what one reading told. Sizes are numbers of pods: a size
// of n has the ranks 0 to n − 1, because an Indexed Job always loses its highest indices, busy or not.
import { type Idset, unionIdsets } from '#flux/sets/idset.ts'
import type { Facts, Remembered } from '#reading/facts.ts'
import type { Unknown } from '#reading/unknown.ts'
import { PendingPlacement, type PendingSums, type PlacementFacts } from './pending-placement.ts'
import { sizeWith } from './ranks.ts'

/** What a demand is computed from. */
export interface DemandFacts extends PlacementFacts, Pick<Facts, 'quorum'>, Remembered {}

/** What is wanted of the MiniCluster. */
export interface Demand extends PendingSums {
  readonly kind: 'known'
  /** Size of the MiniCluster if every rank of R is started. */
  readonly maximum: number
  /** Never fewer: 1 + the highest busy rank. */
  readonly floor: number
  /** Ranks that must not be lost: with something allocated, or released a moment ago; the lead's always. */
  readonly busy: Idset
  readonly quorum: number
  /** Why some jobs' GPUs are not known; `undefined` where no job can want any, or all are known. */
  readonly unknownRequests: Unknown | undefined
  /** Whether pending jobs are missing, because the list was cut: there may be work for every rank. */
  readonly isCut: boolean
}

const LEAD: Idset = { ranges: [{ first: 0, last: 0 }] }

/** Computes what is wanted. */
export function computeDemand(facts: DemandFacts): Demand {
  const { ranks, quorum, waiting } = facts
  const busy = unionIdsets(unionIdsets(ranks.allocated, facts.recent), LEAD)
  const pending = new PendingPlacement(facts)
  for (const job of waiting.jobs) pending.add(job)
  return {
    kind: 'known',
    maximum: Math.max(1, sizeWith(ranks.all)),
    floor: sizeWith(busy),
    busy,
    quorum,
    unknownRequests: waiting.unknownRequests,
    isCut: waiting.jobs.length < waiting.total,
    ...pending.sums(),
  }
}
