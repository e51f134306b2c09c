// Places the pending jobs on ranks one after the other, and adds up for each queue what its jobs ask for. The size is computed
// in demand.ts and sizes.ts. Pure.
import { listIds, toIdset } from '#flux/sets/id-list.ts'
import {
  countIds,
  type Idset,
  intersectIdsets,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { type ResourceSet, restrictToRanks, subtractResourceSets } from '#flux/sets/resource-set.ts'
import type { Facts, Remembered, WaitingJob, WaitingJobs } from '#reading/facts.ts'
import type { Unknown } from '#reading/unknown.ts'
import { type Need, needOf } from './need.ts'
import { type Domain, type Place, Placement } from './placement.ts'
import type { QueueDemand } from './queue-demand.ts'
import { type Ranks, sizeWith } from './ranks.ts'

/** The part of a reading that decides where jobs are placed. */
export interface PlacementFacts
  extends Pick<Facts, 'all' | 'allocated' | 'torpid' | 'queues' | 'takenAt'>,
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
}

/** The name of the only queue of an instance without named queues. */
const NO_QUEUE = ''

/** The sums of one queue while jobs are added. */
interface QueueSums {
  readonly domain: Domain
  readonly allocated: Idset
  readonly placed: Uint8Array
  pendingNodes: number
  pendingCores: number
  pendingGpus: number | undefined
  held: number
  infeasible: number
  readonly waits: number[]
  startSeconds: number | undefined
}

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
  #hasUnknownPlaces = false
  /** Whether a job whose GPUs are not known may be given any usable rank. */
  #mayUseAnyRank = false

  constructor(facts: PlacementFacts) {
    this.#facts = facts
    const { all, ranks: known } = facts
    this.#placement = new Placement(all, freeOf(facts))
    this.#coresPerNode = Math.max(1, mostIn(all, 'cores'))
    this.#gpusPerNode = mostIn(all, 'gpus')
    this.#allQueues = this.#sumsOf(known.all)
    for (const [name, { ranks }] of facts.queues) {
      if (name === NO_QUEUE) continue
      this.#queues.set(name, ranks === undefined ? this.#sumsOfEveryRank() : this.#sumsOf(ranks))
    }
  }

  add(job: WaitingJob): void {
    const { queues, takenAt } = this.#facts
    const name = job.queue ?? NO_QUEUE
    const sums = this.#queues.get(name) ?? this.#allQueues
    const affected = sums === this.#allQueues ? [sums] : [sums, this.#allQueues]
    if (job.state !== 'SCHED') return
    if (job.priority === 0) {
      for (const one of affected) one.held += 1
      return
    }
    if (queues.get(name)?.started === false) return
    const need = needOf(job)
    const place = this.#place(job, need, sums.domain)
    for (const one of affected) {
      if (place.kind === 'infeasible') one.infeasible += 1
      else {
        for (const rank of place.ranks) one.placed[rank] = 1
        this.#count(one, job, need)
        one.waits.push(Math.max(0, takenAt.getTime() / 1000 - job.submittedAt))
        one.startSeconds ??= startOf(job, takenAt)
      }
    }
    if (need.nodes === undefined && !this.#knowsGpus(job)) this.#hasUnknownPlaces = true
  }

  sums(): PendingSums {
    const mayUseAnyRank = this.#mayUseAnyRank
    return {
      whole: finish(this.#allQueues, mayUseAnyRank),
      queues: new Map([...this.#queues].map(([name, sums]) => [name, finish(sums, mayUseAnyRank)])),
      unknownPlaces: this.#hasUnknownPlaces ? this.#facts.waiting.unknownRequests : undefined,
    }
  }

  /**
   * A job whose GPUs are not known asks for no more than all GPUs of its nodes, and is placed as if it did. If that does not
   * fit now, fewer GPUs may fit on any rank: then every usable rank may be given to a job.
   */
  #place(job: WaitingJob, need: Need, domain: Domain): Place {
    if (this.#knowsGpus(job)) return this.#placement.place(need, domain)
    const most = this.#placement.place({ ...need, gpus: this.#gpusPerNode }, domain)
    if (most.kind === 'infeasible') return this.#placement.place(need, domain)
    if (most.kind === 'waits' && most.ranks.length > 0) this.#mayUseAnyRank = true
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
    return request !== undefined || this.#facts.waiting.unknownRequests === undefined
  }

  #sumsOf(queue: Idset): QueueSums {
    const { ranks, torpid, lost } = this.#facts
    const known = intersectIdsets(queue, ranks.all)
    // The scheduler gives no job these ranks, though they may be online.
    const unusable = unionIdsets(ranks.foreignDrained, torpid)
    const startable = subtractIdsets(known, unusable)
    const domain = {
      ranks: listIds(known),
      usable: listIds(subtractIdsets(startable, lost)),
      startable: listIds(startable),
    }
    return this.#emptySums(domain, intersectIdsets(ranks.allocated, known))
  }

  /** For a queue that has every rank. It shares the domain of all queues, and with it the results of earlier searches. */
  #sumsOfEveryRank(): QueueSums {
    return this.#emptySums(this.#allQueues.domain, this.#allQueues.allocated)
  }

  #emptySums(domain: Domain, allocated: Idset): QueueSums {
    return {
      domain,
      allocated,
      placed: new Uint8Array(sizeWith(this.#facts.ranks.all)),
      pendingNodes: 0,
      pendingCores: 0,
      pendingGpus: 0,
      held: 0,
      infeasible: 0,
      waits: [],
      startSeconds: undefined,
    }
  }
}

/** The most cores or GPUs of any rank. */
function mostIn({ segments }: ResourceSet, what: 'cores' | 'gpus'): number {
  return segments.reduce((most, segment) => Math.max(most, countIds(segment[what])), 0)
}

/** The resources that no job holds. A rank that is not live counts as free, because a new pod has nothing allocated. */
function freeOf({ all, allocated, ranks }: PlacementFacts): ResourceSet {
  return subtractResourceSets(all, restrictToRanks(allocated, ranks.allocated))
}

/** 0 if the estimate is in the past: the job should start now. */
function startOf({ startEstimate }: WaitingJob, takenAt: Date): number | undefined {
  if (startEstimate === undefined) return undefined
  return Math.max(0, startEstimate - takenAt.getTime() / 1000)
}

function finish(
  { domain, placed, waits, ...sums }: QueueSums,
  mayUseAnyRank: boolean,
): QueueDemand {
  if (mayUseAnyRank && waits.length > 0) for (const rank of domain.usable) placed[rank] = 1
  return { ...sums, placed: toIdset(placed), waits: waits.sort((a, b) => b - a) }
}
