// Where the jobs that wait would go, and what they ask for: one after the other is put onto ranks, and each queue adds up.
// demand.ts says what follows for the size. Pure.
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

/** What jobs are placed by. */
export interface PlacementFacts
  extends Pick<Facts, 'all' | 'allocated' | 'torpid' | 'queues' | 'takenAt'>,
    Pick<Remembered, 'lost'> {
  readonly waiting: WaitingJobs
  readonly ranks: Pick<Ranks, 'all' | 'allocated' | 'foreignDrained'>
}

/** What the jobs on a board come to. */
export interface PendingSums {
  readonly whole: QueueDemand
  /** By named queue; empty without any. */
  readonly queues: ReadonlyMap<string, QueueDemand>
  /** Why it is not known where the pending jobs would go; `undefined`: it is. */
  readonly unknownPlaces: Unknown | undefined
}

/** The name under which the jobs of no named queue are kept. */
const NO_QUEUE = ''

/** One queue while jobs are added. */
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
 * Collects jobs, in the order of their priority.
 *
 * Those count that the scheduler would start were there nodes: in SCHED, not held, of a started queue, not larger than R.
 * They are placed first fit from rank 0 on, on what is free and on ranks whose pods could be started; drained, torpid and
 * lost ranks are left out. A job that does not fit beside the others counts with the ranks that it would have alone, lost
 * ones too if it must: it starts when they end, or come.
 */
export class PendingPlacement {
  readonly #facts: PlacementFacts
  readonly #placement: Placement
  readonly #whole: QueueSums
  readonly #queues = new Map<string, QueueSums>()
  /** Cores of the rank with the most, to guess nodes by. */
  readonly #coresPerNode: number
  /** GPUs of the rank with the most. */
  readonly #gpusPerNode: number
  #hasUnknownPlaces = false
  /** Whether a job of unknown GPUs may be given any rank. */
  #isOpen = false

  constructor(facts: PlacementFacts) {
    this.#facts = facts
    const { all, ranks: known } = facts
    this.#placement = new Placement(all, freeOf(facts))
    this.#coresPerNode = Math.max(1, mostIn(all, 'cores'))
    this.#gpusPerNode = mostIn(all, 'gpus')
    this.#whole = this.#sumsOf(known.all)
    for (const [name, { ranks }] of facts.queues) {
      if (name === NO_QUEUE) continue
      this.#queues.set(name, ranks === undefined ? this.#alike() : this.#sumsOf(ranks))
    }
  }

  add(job: WaitingJob): void {
    const { queues, takenAt } = this.#facts
    const name = job.queue ?? NO_QUEUE
    const sums = this.#queues.get(name) ?? this.#whole
    const both = sums === this.#whole ? [sums] : [sums, this.#whole]
    if (job.state !== 'SCHED') return
    if (job.priority === 0) {
      for (const one of both) one.held += 1
      return
    }
    if (queues.get(name)?.started === false) return
    const need = needOf(job)
    const place = this.#place(job, need, sums.domain)
    for (const one of both) {
      if (place.kind === 'infeasible') one.infeasible += 1
      else {
        for (const rank of place.ranks) one.placed[rank] = 1
        this.#count(one, job, need)
        one.waits.push(Math.max(0, takenAt.getTime() / 1000 - job.submittedAt))
        one.startSeconds ??= startOf(job, takenAt)
      }
    }
    if (need.nodes === undefined && !this.#tellsGpus(job)) this.#hasUnknownPlaces = true
  }

  sums(): PendingSums {
    const isOpen = this.#isOpen
    return {
      whole: finish(this.#whole, isOpen),
      queues: new Map([...this.#queues].map(([name, sums]) => [name, finish(sums, isOpen)])),
      unknownPlaces: this.#hasUnknownPlaces ? this.#facts.waiting.unknownRequests : undefined,
    }
  }

  /**
   * A job whose GPUs nobody tells wants at most all of its nodes. If that does not fit, it may fit in truth, anywhere: then
   * every usable rank may be given to a job.
   */
  #place(job: WaitingJob, need: Need, domain: Domain): Place {
    if (this.#tellsGpus(job)) return this.#placement.place(need, domain)
    const most = this.#placement.place({ ...need, gpus: this.#gpusPerNode }, domain)
    if (most.kind === 'infeasible') return this.#placement.place(need, domain)
    if (most.kind === 'waits' && most.ranks.length > 0) this.#isOpen = true
    return most
  }

  #count(sums: QueueSums, job: WaitingJob, need: Need): void {
    const cores = need.exclusive ? (need.nodes ?? 0) * this.#coresPerNode : need.slots * need.cores
    sums.pendingNodes += need.nodes ?? Math.ceil(cores / this.#coresPerNode)
    sums.pendingCores += cores
    if (sums.pendingGpus === undefined) return
    sums.pendingGpus = this.#tellsGpus(job) ? sums.pendingGpus + need.slots * need.gpus : undefined
  }

  #tellsGpus({ request }: WaitingJob): boolean {
    return request !== undefined || this.#facts.waiting.unknownRequests === undefined
  }

  #sumsOf(queue: Idset): QueueSums {
    const { ranks, torpid, lost } = this.#facts
    const known = intersectIdsets(queue, ranks.all)
    // Nobody is given them, though they may be there.
    const unusable = unionIdsets(ranks.foreignDrained, torpid)
    const startable = subtractIdsets(known, unusable)
    return {
      domain: {
        ranks: listIds(known),
        usable: listIds(subtractIdsets(startable, lost)),
        startable: listIds(startable),
      },
      allocated: intersectIdsets(ranks.allocated, known),
      placed: new Uint8Array(sizeWith(ranks.all)),
      ...NOTHING,
      waits: [],
    }
  }

  /** A queue that has every rank shares the domain, and what was learnt of it. */
  #alike(): QueueSums {
    const { domain, allocated, placed } = this.#whole
    return { domain, allocated, placed: new Uint8Array(placed.length), ...NOTHING, waits: [] }
  }
}

const NOTHING = {
  pendingNodes: 0,
  pendingCores: 0,
  pendingGpus: 0,
  held: 0,
  infeasible: 0,
  startSeconds: undefined,
}

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

function finish({ domain, placed, waits, ...sums }: QueueSums, isOpen: boolean): QueueDemand {
  if (isOpen && waits.length > 0) for (const rank of domain.usable) placed[rank] = 1
  return { ...sums, placed: toIdset(placed), waits: waits.sort((a, b) => b - a) }
}
