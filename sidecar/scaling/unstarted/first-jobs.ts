// The first job of each queue that the scheduler would start, and whether it fits, as far as we know, on ranks that are there
// and free: then the scheduler should have started it. Pure.
import type { JobId } from '#flux/calls/job-list-calls.ts'
import {
  EMPTY_IDSET,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf, restrictToRanks, subtractResourceSets } from '#flux/sets/resource-set.ts'
import { canStart, type Facts, NO_QUEUE, type WaitingJob } from '#reading/facts.ts'
import { PendingPlacement, type PlacementFacts } from '#scaling/placement/pending-placement.ts'
import { everyRank, type Ranks } from '#scaling/ranks.ts'

export interface FirstJobFacts extends PlacementFacts, Pick<Facts, 'running'> {
  readonly ranks: Ranks
  /** Jobs that ask for more than their queue has in R: they never start. */
  readonly infeasibleJobs: ReadonlySet<JobId>
}

/** Ranks for a job, by its queue and by what is known of its constraint. */
interface RanksOfJob {
  /** Ranks of ours that it may be given now, or once their pods have started. */
  readonly usable: Idset
  /** Those that may be given jobs now, with or without a job on them. */
  readonly open: Idset
  /** Those of them on which nothing runs. */
  readonly idle: Idset
  /** Those of them with something free. */
  readonly free: Idset
}

/** A job before which the scheduler has no other one to start. */
export interface FirstJob extends RanksOfJob {
  readonly job: WaitingJob
  /** Whether it fits on what is free of the open ranks. */
  readonly fits: boolean
}

/**
 * Jobs are listed in the order of their priority, in which schedulers look at them. A job behind one that waits may wait for
 * that one, even if it fits: because jobs are started in their order, or because resources are reserved. So only first jobs
 * are returned: of each queue under Fluxion, of all queues together under sched-simple, which has one order for all. Under
 * Fluxion with reservations, a job does not count as fitting if the first job of another queue waits for the same ranks.
 *
 * Policies with reservations pass over jobs that they cannot start. There the next job of the queue is returned as well, if
 * the first one was set aside.
 */
export function firstJobs(
  facts: FirstJobFacts,
  isSetAside: (job: FirstJob) => boolean,
): readonly FirstJob[] {
  const { waiting, queues, fluxion, infeasibleJobs } = facts
  const reserves = fluxion !== undefined && (fluxion.queuePolicy ?? 'fcfs') !== 'fcfs'
  const jobs: FirstJob[] = []
  const done = new Set<string>()
  let room: Room | undefined
  for (const job of waiting.jobs) {
    const name = job.queue ?? NO_QUEUE
    if (done.has(name) || !canStart(job) || queues.get(name)?.started === false) continue
    if (infeasibleJobs.has(job.id)) continue
    room ??= new Room(facts)
    const first = room.look(job)
    jobs.push(first)
    if (!reserves || !isSetAside(first)) done.add(name)
    if (fluxion === undefined) break
  }
  if (!reserves) return jobs
  const waits = jobs.filter(({ fits }) => !fits)
  const isReserved = ({ usable }: FirstJob) =>
    waits.some((other) => !isEmpty(intersectIdsets(other.usable, usable)))
  return jobs.map((job) => ({ ...job, fits: job.fits && !isReserved(job) }))
}

/** Looks at jobs, at each as if it was alone. */
class Room {
  readonly #facts: FirstJobFacts
  /** Ranks that may be given jobs now. */
  readonly #there: Idset
  readonly #ranks = new Map<Idset, RanksOfJob>()
  #placement: PendingPlacement
  /** Whether the placement holds a job. */
  #isTaken = false

  constructor(facts: FirstJobFacts) {
    const { ranks, torpid, closed = EMPTY_IDSET } = facts
    this.#facts = facts
    const open = unionIdsets(ranks.open, ranks.burstedOpen)
    this.#there = subtractIdsets(open, unionIdsets(torpid, closed))
    this.#placement = this.#emptyPlacement()
  }

  look(job: WaitingJob): FirstJob {
    const fits = this.#fits(job)
    return { job, fits, ...this.#ranksAmong(this.#placement.ranksFor(job)) }
  }

  /** @param accepted queues and jobs that accept the same ranks share them */
  #ranksAmong(accepted: Idset): RanksOfJob {
    const known = this.#ranks.get(accepted)
    if (known !== undefined) return known
    const { all, allocated, ranks, torpid, closed = EMPTY_IDSET, lost, running } = this.#facts
    const unusable = [ranks.foreignDrained, torpid, closed, lost].reduce(unionIdsets)
    const open = intersectIdsets(accepted, this.#there)
    const taken = restrictToRanks(allocated, open)
    const found = {
      usable: subtractIdsets(intersectIdsets(accepted, ranks.all), unusable),
      open,
      idle: subtractIdsets(open, unionIdsets(ranksOf(taken), running)),
      free: ranksOf(subtractResourceSets(restrictToRanks(all, open), taken)),
    }
    this.#ranks.set(accepted, found)
    return found
  }

  #fits(job: WaitingJob): boolean {
    if (this.#place(job)) return true
    if (!this.#isTaken) return false
    this.#placement = this.#emptyPlacement()
    this.#isTaken = false
    return this.#place(job)
  }

  #place(job: WaitingJob): boolean {
    const isPlaced = this.#placement.add(job)?.kind === 'placed'
    this.#isTaken ||= isPlaced
    return isPlaced
  }

  #emptyPlacement(): PendingPlacement {
    // What is not there is no place, also where a pod would start.
    const torpid = subtractIdsets(everyRank(this.#facts.ranks), this.#there)
    return new PendingPlacement({ ...this.#facts, torpid })
  }
}
