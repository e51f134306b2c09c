// Places the pending jobs on ranks one after the other, and adds up for each queue what its jobs ask for. The size is computed
// in demand.ts and sizes.ts. Pure.
import { givesWholeNodes } from '#flux/calls/fluxion.ts'
import type { JobId } from '#flux/calls/job-list-calls.ts'
import { type Idset, intersectIdsets, isEmpty, unionIdsets } from '#flux/sets/idset.ts'
import { type ResourceSet, restrictToRanks, subtractResourceSets } from '#flux/sets/resource-set.ts'
import {
  canStart,
  type Facts,
  NO_QUEUE,
  type WaitingJob,
  type WaitingJobs,
} from '#reading/facts.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import { everyRank, type Ranks, sizeWith } from '#scaling/ranks.ts'
import { type DomainFacts, Domains } from './domains.ts'
import { fewestGpusIn, mostGpusIn } from './gpus-per-rank.ts'
import { type Need, type NodeCores, nodeCoresOf, onIdleNodes, type Ways, waysOf } from './need.ts'
import { OpenFirst } from './open-first.ts'
import { type Domain, type Place, Placement } from './placement.ts'
import type { QueueDemand } from './queue-demand.ts'
import { addOnce, addPlaced, emptySums, finish, nodesFor, type QueueSums } from './queue-sums.ts'

/** The part of a reading that decides where jobs are placed. */
export interface PlacementFacts
  extends Pick<Facts, 'all' | 'allocated' | 'queues' | 'takenAt' | 'fluxion'>,
    Omit<DomainFacts, 'ranks'> {
  readonly waiting: WaitingJobs
  readonly ranks: DomainFacts['ranks'] & Pick<Ranks, 'allocated' | 'open'>
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
  /** Jobs that ask for more than their queue has in R. */
  readonly infeasibleJobs: ReadonlySet<JobId>
}

/**
 * Jobs are added in the order of their priority.
 *
 * A job counts if the scheduler would start it with enough nodes: it is in SCHED, not held, in a started queue, and not larger
 * than R. Jobs are placed first fit from rank 0 on, on free resources and on ranks whose pods could be started. Torpid and
 * lost ranks, ranks that others drained, and ranks that are down for the scheduler alone are left out. A job that does not fit
 * beside the others counts with the ranks that it would be given if it were alone, lost ranks too if necessary: it starts when
 * other jobs end or lost ranks join.
 *
 * Ranks of other clusters (bursting) can be given to jobs while they are open: a job that fits there and on open ranks of ours
 * starts without more pods. Otherwise our ranks come first. Ranks of other clusters that are down are not waited for, and
 * no rank of theirs is demand.
 */
export class PendingPlacement {
  readonly #facts: PlacementFacts
  readonly #placement: OpenFirst
  readonly #allQueues: QueueSums
  readonly #queues = new Map<string, QueueSums>()
  /** Nodes are estimated from cores with our rank that has the most. */
  readonly #nodeCores: NodeCores
  /** GPUs of our rank with the most. */
  readonly #gpusPerNode: number
  /** Whether some of our ranks with GPUs have fewer. */
  readonly #gpusDiffer: boolean
  /** Whether any rank of R has GPUs. */
  readonly #hasGpus: boolean
  readonly #domains: Domains
  #hasUnknownPlaces = false
  #unknownNeeds: Unknown | undefined
  #isPartial = false
  readonly #infeasibleJobs = new Set<JobId>()
  /** Whether a job whose GPUs are not known may be given any usable rank. */
  #mayUseAnyRank = false

  constructor(facts: PlacementFacts) {
    this.#facts = facts
    const { all, ranks: known, fluxion } = facts
    const wholeNodes = fluxion !== undefined && givesWholeNodes(fluxion)
    this.#placement = new OpenFirst(new Placement(all, freeOf(facts), { wholeNodes }), known)
    this.#domains = new Domains(facts, (steps) => this.#placement.spend(steps))
    const ours = isEmpty(known.bursted) ? all : restrictToRanks(all, known.all)
    this.#nodeCores = nodeCoresOf(ours)
    this.#gpusPerNode = mostGpusIn(ours)
    this.#gpusDiffer = fewestGpusIn(ours) < this.#gpusPerNode
    this.#hasGpus = mostGpusIn(all) > 0
    this.#allQueues = this.#sumsOf(unionIdsets(everyRank(known), known.allocated))
    for (const [name, { ranks }] of facts.queues) {
      if (name === NO_QUEUE) continue
      this.#queues.set(name, ranks === undefined ? this.#sumsOfEveryRank() : this.#sumsOf(ranks))
    }
  }

  /** Returns where the job would go; `undefined` if it does not count. */
  add(job: WaitingJob): Place | undefined {
    const { queues } = this.#facts
    const name = job.queue ?? NO_QUEUE
    const sums = this.#queues.get(name) ?? this.#allQueues
    const affected = sums === this.#allQueues ? [sums] : [sums, this.#allQueues]
    if (job.state === 'SCHED' && job.priority === 0) {
      for (const one of affected) one.held += 1
      return undefined
    }
    if (!canStart(job) || queues.get(name)?.started === false) return undefined
    const ways = waysOf(job, this.#nodeCores)
    if (ways === undefined) this.#unknownNeeds ??= reasonFor(job)
    const place = this.#placeIn(this.#domainOf(job, sums.domain), job, ways)
    if (place.kind === 'not placed') this.#isPartial = true
    if (place.kind === 'infeasible') this.#infeasibleJobs.add(job.id)
    for (const one of affected) this.#add(one, job, { place, ways })
    return place
  }

  /** The ranks of R that the job may be given, by its queue and by what is known of its constraint. */
  ranksFor(job: WaitingJob): Idset {
    const queue = this.#queues.get(job.queue ?? NO_QUEUE) ?? this.#allQueues
    return (this.#domainOf(job, queue.domain) ?? queue.domain).ranks
  }

  /** @param domain `undefined`: it would take too long to work it out */
  #placeIn(domain: Domain | undefined, job: WaitingJob, ways: Ways | undefined): Place {
    if (domain === undefined) return { kind: 'not placed' }
    if (ways !== undefined) {
      const isFluxion = this.#facts.fluxion !== undefined
      return this.#place(job, isFluxion ? ways : onIdleNodes(ways), domain)
    }
    // A job whose needs are not known may be given any of its ranks, and may need lost ones.
    return { kind: 'waits', ranks: domain.startable }
  }

  sums(): PendingSums {
    const { bursted } = this.#facts.ranks
    const ending = { mayUseAnyRank: this.#mayUseAnyRank, bursted }
    return {
      whole: finish(this.#allQueues, ending),
      queues: new Map([...this.#queues].map(([name, sums]) => [name, finish(sums, ending)])),
      unknownPlaces: this.#hasUnknownPlaces ? this.#facts.waiting.unknownRequests : undefined,
      unknownNeeds: this.#unknownNeeds,
      isPartial: this.#isPartial,
      infeasibleJobs: this.#infeasibleJobs,
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
    if (ways === undefined && this.#hasGpus) sums.pendingGpus = undefined
    for (const need of ways?.[0] ?? []) this.#count(sums, job, need)
    const { submittedAt = Number.NEGATIVE_INFINITY } = job
    sums.waits.push(Math.max(0, takenAt.getTime() / 1000 - submittedAt))
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
    if (most.kind === 'placed' || most.kind === 'not placed') return most
    const isNowhere = most.kind === 'infeasible' || isEmpty(most.ranks)
    const place = isNowhere ? this.#placement.place(ways, domain) : most
    // If too few ranks have GPUs, and none has fewer of them, it can only ask for none.
    const isExact = most.kind === 'infeasible' && !this.#gpusDiffer && place.kind === 'placed'
    if (!isExact && 'ranks' in place && !isEmpty(place.ranks)) this.#mayUseAnyRank = true
    return place
  }

  #count(sums: QueueSums, job: WaitingJob, need: Need): void {
    const { most } = this.#nodeCores
    const cores = need.exclusive ? (need.nodes ?? 0) * most : need.slots * need.cores
    sums.pendingNodes += nodesFor(need, { cores: most, gpus: this.#gpusPerNode })
    sums.pendingCores += cores
    if (sums.pendingGpus === undefined) return
    sums.pendingGpus = this.#knowsGpus(job) ? sums.pendingGpus + need.slots * need.gpus : undefined
  }

  #knowsGpus({ request }: WaitingJob): boolean {
    if (request !== undefined) return !isUnknown(request)
    return this.#facts.waiting.unknownRequests === undefined
  }

  #domainOf({ request }: WaitingJob, queue: Domain): Domain | undefined {
    const accepted = request === undefined || isUnknown(request) ? undefined : request.ranks
    return this.#domains.ofJob(queue, accepted)
  }

  #sumsOf(queue: Idset): QueueSums {
    const { ranks } = this.#facts
    return emptySums(
      { domain: this.#domains.ofQueue(queue), allocated: intersectIdsets(ranks.allocated, queue) },
      sizeWith(everyRank(ranks)),
    )
  }

  /** For a queue that has every rank. It shares the domain of all queues, and with it the results of earlier searches. */
  #sumsOfEveryRank(): QueueSums {
    return emptySums(this.#allQueues, sizeWith(everyRank(this.#facts.ranks)))
  }
}

function reasonFor({ request }: WaitingJob): Unknown {
  return request !== undefined && isUnknown(request) ? request : NO_SHAPE
}

const NO_SHAPE = unknown(
  'Flux does not show guests how many nodes some pending jobs ask for: run the sidecar with the UID of the broker ' +
    '(annotation flux-metrics/run-as-user), or submit jobs with a number of nodes or tasks',
)

/** What no job holds: of ranks that are up, the rest; of those that are not, all, as a new pod would bring it. */
function freeOf({ all, allocated, ranks }: PlacementFacts): ResourceSet {
  const busy = unionIdsets(ranks.allocated, ranks.bursted)
  return subtractResourceSets(all, restrictToRanks(allocated, busy))
}

/** An estimate may lie in the past: then the job is due. */
function startOf({ startEstimate }: WaitingJob, takenAt: Date): number | undefined {
  if (startEstimate === undefined) return undefined
  return Math.max(0, startEstimate - takenAt.getTime() / 1000)
}
