// Which ranks a queue has for its pending jobs, and which of them a job accepts. Pure.
import {
  EMPTY_IDSET,
  type Idset,
  intersectIdsets,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import type { Facts, Remembered } from '#reading/facts.ts'
import { everyRank, type Ranks } from '#scaling/ranks.ts'
import type { Domain } from './placement.ts'

/** The part of a reading that decides which ranks may be given to jobs. */
export interface DomainFacts extends Pick<Facts, 'torpid' | 'closed'>, Pick<Remembered, 'lost'> {
  readonly ranks: Pick<Ranks, 'all' | 'foreignDrained' | 'bursted' | 'burstedOpen'>
}

export class Domains {
  readonly #facts: DomainFacts
  readonly #spend: (steps: number) => boolean
  /** By the queue's domain and the ranks that jobs accept. */
  readonly #ofJobs = new Map<Domain, Map<Idset, Domain>>()

  /** @param spend takes steps of the budget for placing, and returns whether there were enough */
  constructor(facts: DomainFacts, spend: (steps: number) => boolean) {
    this.#facts = facts
    this.#spend = spend
  }

  ofQueue(ranksOfQueue: Idset): Domain {
    const { ranks, torpid, closed = EMPTY_IDSET, lost } = this.#facts
    const known = intersectIdsets(ranksOfQueue, everyRank(ranks))
    // Nobody here starts the ranks of other clusters.
    const absent = subtractIdsets(ranks.bursted, ranks.burstedOpen)
    // The scheduler gives no job these ranks, though they may be online.
    const unusable = [ranks.foreignDrained, torpid, closed, absent].reduce(unionIdsets)
    const startable = subtractIdsets(known, unusable)
    return { ranks: known, usable: subtractIdsets(startable, lost), startable }
  }

  /**
   * Jobs that accept the same ranks share a domain.
   *
   * @param accepted the ranks that the job's constraint accepts; `undefined`: every rank
   * @returns `undefined` if the budget is used up
   */
  ofJob(queue: Domain, accepted: Idset | undefined): Domain | undefined {
    if (accepted === undefined) return queue
    const domains = this.#ofJobs.get(queue) ?? new Map<Idset, Domain>()
    this.#ofJobs.set(queue, domains)
    const known = domains.get(accepted)
    if (known !== undefined) return known
    if (!this.#spend(3 * (queue.ranks.ranges.length + accepted.ranges.length))) return undefined
    const domain = {
      ranks: intersectIdsets(queue.ranks, accepted),
      usable: intersectIdsets(queue.usable, accepted),
      startable: intersectIdsets(queue.startable, accepted),
    }
    domains.set(accepted, domain)
    return domain
  }
}
