// Computes what is wanted of the MiniCluster from one reading and what is remembered of earlier ones. Sizes are numbers of
// pods: a size of n has the ranks 0 to n − 1, because an Indexed Job always loses its highest indices, busy or not. Pure.
import type { JobId } from '#flux/calls/job-list-calls.ts'
import { type Idset, unionIdsets } from '#flux/sets/idset.ts'
import { mapInTurns } from '#flux/turns.ts'
import type { Facts, Remembered, WaitingJob } from '#reading/facts.ts'
import type { Unknown } from '#reading/unknown.ts'
import {
  PendingPlacement,
  type PendingSums,
  type PlacementFacts,
} from './placement/pending-placement.ts'
import type { Place } from './placement/placement.ts'
import { sizeWith } from './ranks.ts'

export interface DemandFacts extends PlacementFacts, Pick<Facts, 'quorum'>, Remembered {}

/** What is wanted of the MiniCluster. */
export interface Demand extends PendingSums {
  readonly kind: 'known'
  /** The size of the MiniCluster with every rank of R, and every busy rank: one that was excluded is not in R any more. */
  readonly maximum: number
  /** The smallest size that loses no busy rank: 1 + the highest busy rank. */
  readonly floor: number
  /** Ranks that must stay: those with something allocated or recently released, and always rank 0, the lead broker's. */
  readonly busy: Idset
  readonly quorum: number
  /** Why the GPUs of some jobs are not known; `undefined` if all are known, or if R has none. */
  readonly unknownRequests: Unknown | undefined
  /** Whether jobs that could start are not listed, or could not be placed. Then there may be work for every rank. */
  readonly isCut: boolean
  /** Whether any pending job is not listed, held ones included. */
  readonly isListCut: boolean
  /** Where the first {@link MAX_PLACES} pending jobs would go; those that do not count are left out. */
  readonly places: ReadonlyMap<JobId, Place>
}

/** Of more jobs nobody reads where they would go. */
export const MAX_PLACES = 50

const LEAD: Idset = { ranges: [{ first: 0, last: 0 }] }

export function computeDemand(facts: DemandFacts): Demand {
  const placing = new Placing(facts)
  for (const job of facts.waiting.jobs) placing.add(job)
  return placing.demand()
}

/** The same, in turns of the event loop: thousands of jobs take long when the process is young. */
export async function computeDemandInTurns(facts: DemandFacts): Promise<Demand> {
  const placing = new Placing(facts)
  await mapInTurns(facts.waiting.jobs, (job) => placing.add(job))
  return placing.demand()
}

class Placing {
  readonly #facts: DemandFacts
  readonly #pending: PendingPlacement
  readonly #places = new Map<JobId, Place>()
  #added = 0

  constructor(facts: DemandFacts) {
    this.#facts = facts
    this.#pending = new PendingPlacement(facts)
  }

  add(job: WaitingJob): void {
    const place = this.#pending.add(job)
    this.#added += 1
    if (place !== undefined && this.#added <= MAX_PLACES) this.#places.set(job.id, place)
  }

  demand(): Demand {
    return demandOf(this.#facts, this.#pending.sums(), this.#places)
  }
}

function demandOf(facts: DemandFacts, sums: PendingSums, places: Demand['places']): Demand {
  const { ranks, quorum, waiting } = facts
  const busy = unionIdsets(unionIdsets(ranks.allocated, facts.recent), LEAD)
  const floor = sizeWith(busy)
  return {
    kind: 'known',
    maximum: Math.max(floor, sizeWith(ranks.all)),
    floor,
    busy,
    quorum,
    unknownRequests: waiting.unknownRequests,
    isListCut: waiting.jobs.length < waiting.total,
    isCut: waiting.lacksStartable || sums.isPartial,
    places,
    ...sums,
  }
}
