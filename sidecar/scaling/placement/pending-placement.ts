// Places the pending jobs on ranks one after the other, and adds up for each queue what its jobs ask for. The size is computed
// in demand.ts and sizes.ts. Pure.
import { givesWholeNodes } from '#flux/calls/fluxion.ts'
import {
  countIds,
  type Idset,
  intersectIdsets,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { type ResourceSet, restrictToRanks, subtractResourceSets } from '#flux/sets/resource-set.ts'
import type { Facts, Remembered, WaitingJob, WaitingJobs } from '#reading/facts.ts'
import { canStart } from '#reading/pending-jobs.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import { type Ranks, sizeWith } from '#scaling/ranks.ts'
import { type Need, type Ways, waysOf } from './need.ts'
import { type Domain, type Place, Placement } from './placement.ts'
import type { QueueDemand } from './queue-demand.ts'
import { addOnce, addPlaced, emptySums, finish, type QueueSums } from './queue-sums.ts'

/** The part of a reading that decides where jobs are placed. */
export interface PlacementFacts
  extends Pick<Facts, 'all' | 'allocated' | 'torpid' | 'queues' | 'takenAt' | 'fluxion'>,
    Pick<Remembered, 'lost'> {
  readonly waiting: WaitingJobs
  readonly ranks: Pick<Ranks, 'all' | 'allocated' | 'foreignDrained'>
}

/** The sums over the jobs that were added. */
export interface PendingSums {
  /** For the jobs of all queues. */
  readonly whole: QueueDemand
  /** For each named queue; empty without named queues. */
  readonly queues: ReadonlyMap<string, QueueDemand>
  /** Why it is not known which ranks the pending jobs would be given; `undefined` if it is known. */
  readonly unknownPlaces: Unknown | undefined
  /** Why it is not known what some of them ask for; they count with every rank that they may be given. */
  readonly unknownNeeds: Unknown | undefined
  /** Whether some jobs could not be placed, because the jobs are too many and too different. */
  readonly isPartial: boolean
}

/** The name of the only queue of an instance without named queues. */
const NO_QUEUE = ''

/**
 * Jobs are added in the order of their priority.
 *
 * A job counts if the scheduler would start it with enough nodes: it is in SCHED, not held, in a started queue, and not larger
 * than R. Jobs are placed first fit from rank 0 on, on free resources and on ranks whose pods could be started. Torpid and
 * lost ranks, and ranks that others drained, are left out. A job that does not fit beside the others counts with the ranks
 * that it would be given if it were alone, lost ranks too if necessary: it starts when other jobs end or lost ranks join.
 */
export class PendingPlacement {
  readonly #facts: PlacementFacts
  readonly #placement: Placement
  readonly #allQueues: QueueSums
  readonly #queues = new Map<string, QueueSums>()
  /** Cores of the rank with the most: nodes are estimated from cores with it. */
  readonly #coresPerNode: number
  /** GPUs of the rank with the most. */
  readonly #gpusPerNode: number
  /** The domains of jobs with constraints, by the queue's domain and the ranks that the jobs accept. */
  readonly #domains = new Map<Domain, Map<Idset, Domain>>()
  #hasUnknownPlaces = false
  #unknownNeeds: Unknown | undefined
  #isPartial = false
  /** Whether a job whose GPUs are not known may be given any usable rank. */
  #mayUseAnyRank = false

  constructor(facts: PlacementFacts) {
    this.#facts = facts
    const { all, ranks: known, fluxion } = facts
    const wholeNodes = fluxion !== undefined && givesWholeNodes(fluxion)
    this.#placement = new Placement(all, freeOf(facts), { wholeNodes })
    this.#coresPerNode = Math.max(1, mostIn(all, 'cores'))
    this.#gpusPerNode = mostIn(all, 'gpus')
    this.#allQueues = this.#sumsOf(known.all)
    for (const [name, { ranks }] of facts.queues) {
      if (name === NO_QUEUE) continue
      this.#queues.set(name, ranks === undefined ? this.#sumsOfEveryRank() : this.#sumsOf(ranks))
    }
  }

  add(job: WaitingJob): void {
    const { queues } = this.#facts
    const name = job.queue ?? NO_QUEUE
    const sums = this.#queues.get(name) ?? this.#allQueues
    const affected = sums === this.#allQueues ? [sums] : [sums, this.#allQueues]
    if (job.state === 'SCHED' && job.priority === 0) {
      for (const one of affected) one.held += 1
      return
    }
    if (!canStart(job) || queues.get(name)?.started === false) return
    const ways = waysOf(job, this.#coresPerNode)
    if (ways === undefined) this.#unknownNeeds ??= reasonFor(job)
    const place = this.#placeIn(this.#domainOf(job, sums.domain), job, ways)
    if (place.kind === 'not placed') this.#isPartial = true
    for (const one of affected) this.#add(one, job, { place, ways })
  }

  /** @param domain `undefined`: it would take too long to work it out */
  #placeIn(domain: Domain | undefined, job: WaitingJob, ways: Ways | undefined): Place {
    if (domain === undefined) return { kind: 'not placed' }
    if (ways !== undefined) return this.#place(job, ways, domain)
    // A job whose needs are not known may be given any of its ranks.
    return { kind: 'waits', ranks: domain.usable }
  }

  sums(): PendingSums {
    const mayUseAnyRank = this.#mayUseAnyRank
    return {
      whole: finish(this.#allQueues, mayUseAnyRank),
      queues: new Map([...this.#queues].map(([name, sums]) => [name, finish(sums, mayUseAnyRank)])),
      unknownPlaces: this.#hasUnknownPlaces ? this.#facts.waiting.unknownRequests : undefined,
      unknownNeeds: this.#unknownNeeds,
      isPartial: this.#isPartial,
    }
  }

  #add(
    sums: QueueSums,
    job: WaitingJob,
    { place, ways }: { readonly place: Place; readonly ways: Ways | undefined },
  ): void {
    const { takenAt } = this.#facts
    if (place.kind === 'infeasible') {
      sums.infeasible += 1
      return
    }
    if (place.kind !== 'not placed') {
      if (ways === undefined) addOnce(sums, place.ranks)
      else addPlaced(sums, place.ranks)
    }
    if (ways === undefined && this.#gpusPerNode > 0) sums.pendingGpus = undefined
    for (const need of ways?.[0] ?? []) this.#count(sums, job, need)
    sums.waits.push(Math.max(0, takenAt.getTime() / 1000 - job.submittedAt))
    sums.startSeconds ??= startOf(job, takenAt)
  }

  /**
   * A job whose GPUs are not known wants at most all GPUs of its nodes. If that does not fit, the job may fit in truth,
   * anywhere: then every usable rank may be given to a job.
   */
  #place(job: WaitingJob, ways: Ways, domain: Domain): Place {
    if (this.#knowsGpus(job)) return this.#placement.place(ways, domain)
    if (ways.some((parts) => parts.some(({ nodes }) => nodes === undefined))) {
      this.#hasUnknownPlaces = true
    }
    const gpus = this.#gpusPerNode
    const most = this.#placement.place(
      ways.map((parts) => parts.map((need) => ({ ...need, gpus }))),
      domain,
    )
    if (most.kind === 'infeasible') return this.#placement.place(ways, domain)
    if (most.kind === 'waits' && most.ranks.ranges.length > 0) this.#mayUseAnyRank = true
    return most
  }

  #count(sums: QueueSums, job: WaitingJob, need: Need): void {
    const cores = need.exclusive ? (need.nodes ?? 0) * this.#coresPerNode : need.slots * need.cores
    sums.pendingNodes += need.nodes ?? Math.ceil(cores / this.#coresPerNode)
    sums.pendingCores += cores
    if (sums.pendingGpus === undefined) return
    sums.pendingGpus = this.#knowsGpus(job) ? sums.pendingGpus + need.slots * need.gpus : undefined
  }

  #knowsGpus({ request }: WaitingJob): boolean {
    if (request !== undefined) return !isUnknown(request)
    return this.#facts.waiting.unknownRequests === undefined
  }

  /** The ranks of the queue that the job accepts; `undefined` if the budget is used up. */
  #domainOf({ request }: WaitingJob, queue: Domain): Domain | undefined {
    const accepted = request === undefined || isUnknown(request) ? undefined : request.ranks
    if (accepted === undefined) return queue
    const domains = this.#domains.get(queue) ?? new Map<Idset, Domain>()
    this.#domains.set(queue, domains)
    const known = domains.get(accepted)
    if (known !== undefined) return known
    if (!this.#placement.spend(3 * (queue.ranks.ranges.length + accepted.ranges.length))) {
      return undefined
    }
    const domain = {
      ranks: intersectIdsets(queue.ranks, accepted),
      usable: intersectIdsets(queue.usable, accepted),
      startable: intersectIdsets(queue.startable, accepted),
    }
    domains.set(accepted, domain)
    return domain
  }

  #sumsOf(queue: Idset): QueueSums {
    const { ranks, torpid, lost } = this.#facts
    const known = intersectIdsets(queue, ranks.all)
    // The scheduler gives no job these ranks, though they may be online.
    const unusable = unionIdsets(ranks.foreignDrained, torpid)
    const startable = subtractIdsets(known, unusable)
    const domain = {
      ranks: known,
      usable: subtractIdsets(startable, lost),
      startable,
    }
    return emptySums(
      { domain, allocated: intersectIdsets(ranks.allocated, known) },
      sizeWith(ranks.all),
    )
  }

  /** For a queue that has every rank. It shares the domain of all queues, and with it the results of earlier searches. */
  #sumsOfEveryRank(): QueueSums {
    return emptySums(this.#allQueues, sizeWith(this.#facts.ranks.all))
  }
}

function reasonFor({ request }: WaitingJob): Unknown {
  return request !== undefined && isUnknown(request) ? request : NO_SHAPE
}

const NO_SHAPE = unknown(
  'Flux does not show guests how many nodes some pending jobs ask for: run the sidecar with the UID of the broker ' +
    '(annotation flux-metrics/run-as-user), or submit jobs with a number of nodes or tasks',
)

/** The most cores or GPUs that a rank has. */
function mostIn({ segments }: ResourceSet, what: 'cores' | 'gpus'): number {
  return segments.reduce((most, segment) => Math.max(most, countIds(segment[what])), 0)
}

/** What no job holds: of ranks that are up, the rest; of those that are not, all, as a new pod would bring it. */
function freeOf({ all, allocated, ranks }: PlacementFacts): ResourceSet {
  return subtractResourceSets(all, restrictToRanks(allocated, ranks.allocated))
}

/** An estimate may lie in the past: then the job is due. */
function startOf({ startEstimate }: WaitingJob, takenAt: Date): number | undefined {
  if (startEstimate === undefined) return undefined
  return Math.max(0, startEstimate - takenAt.getTime() / 1000)
}
