// What one pending job waits for, as a word and as a sentence. From facts only: what Flux does not say is not guessed. Pure.

import { describeStop } from '#explaining/notices/stopped-queues.ts'
import { plural, spellRanks } from '#explaining/wording.ts'
import { formatJobId } from '#flux/calls/job-id.ts'
import type { JobId } from '#flux/calls/job-list-calls.ts'
import {
  countIds,
  EMPTY_IDSET,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { restrictToRanks } from '#flux/sets/resource-set.ts'
import { canStart, NO_QUEUE, type WaitingJob } from '#reading/facts.ts'
import { isUnknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { type NodeCores, nodeCoresOf, waysOf } from '#scaling/placement/need.ts'
import type { Place } from '#scaling/placement/placement.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { quote } from '#serving/text.ts'
import { firstJobsIn } from './first-jobs.ts'
import { Holders } from './holders.ts'
import { describeUnstarted } from './unstarted-jobs.ts'

/** What a job waits for. */
export type WaitsFor =
  /** A dependency on another job, or a time to begin at. */
  | 'dependency'
  /** The job manager has given it no priority yet. */
  | 'priority'
  /** It is held: its priority is 0. */
  | 'release'
  /** Its queue is stopped. */
  | 'queue'
  /** Ranks that are not up. */
  | 'nodes'
  /** Jobs that run, or come before it. */
  | 'jobs'
  /** The scheduler: it fits on free ranks, or there is no scheduler. */
  | 'scheduler'
  /** Ranks that no job is given, because they are drained or were given up. */
  | 'ranks'
  /** What R does not have: it never starts. */
  | 'nothing'
  | 'unknown'

/** What a job waits for. */
export interface Cause {
  readonly waitsFor: WaitsFor
  /** Without its id: `waits for rank 2, which runs job ƒ1xY of user 1000`. */
  readonly text: string
  /** Those that it would be given. */
  readonly ranks?: Idset
}

/** Finds the causes for the jobs of one snapshot. */
export class Causes {
  readonly #snapshot: Snapshot
  readonly #demand: Demand | undefined
  readonly #holders: Holders
  /** Ranks on which a job may start at any moment. */
  readonly #open: Idset
  /** Ranks that jobs may be given, now or when their pods are there. */
  readonly #usable: Idset
  readonly #nodeCores: NodeCores
  /** The job at which the scheduler looks first, of each queue; of all queues if it has one order for all. */
  readonly #firsts: ReadonlyMap<string, JobId>

  constructor(snapshot: Snapshot, demand: Demand | undefined, now: Date) {
    this.#snapshot = snapshot
    this.#demand = demand
    const { runningJobs, ranks, torpid, closed = EMPTY_IDSET, lost, all } = snapshot
    this.#holders = new Holders(runningJobs, now)
    this.#open = unionIdsets(ranks.open, ranks.burstedOpen)
    const unusable = [ranks.foreignDrained, torpid, closed, lost].reduce(unionIdsets)
    this.#usable = subtractIdsets(unionIdsets(ranks.all, ranks.burstedOpen), unusable)
    this.#nodeCores = nodeCoresOf(isEmpty(ranks.bursted) ? all : restrictToRanks(all, ranks.all))
    this.#firsts = firstJobsIn(snapshot, demand)
  }

  of(job: WaitingJob): Cause {
    const { queues, unstarted = [], takenAt } = this.#snapshot
    const name = job.queue ?? NO_QUEUE
    if (job.state === 'DEPEND') {
      return { waitsFor: 'dependency', text: 'waits for a dependency, or for a time to begin' }
    }
    if (job.state === 'PRIORITY') return { waitsFor: 'priority', text: 'waits for a priority' }
    if (!canStart(job)) {
      const text = `is held (priority 0): release it with flux job urgency ${formatJobId(job.id)}`
      return { waitsFor: 'release', text }
    }
    const stop = describeStop(name, queues)
    if (stop !== undefined) {
      const isUnscheduled = queues.get(name)?.stop?.by === 'scheduler'
      return { waitsFor: isUnscheduled ? 'scheduler' : 'queue', text: stop }
    }
    const waits = unstarted.find(({ id }) => id === job.id)
    if (waits !== undefined)
      return { waitsFor: 'scheduler', text: describeUnstarted(waits, takenAt) }
    return this.#ofPlace(job, this.#demand?.places.get(job.id))
  }

  #ofPlace(job: WaitingJob, place: Place | undefined): Cause {
    const { demand } = this.#snapshot
    if (isUnknown(job.request)) return unknownCause(`what it needs: ${job.request.reason}`)
    if (demand.kind === 'unknown') return unknownCause(`where it would go: ${demand.reason}`)
    if (demand.unknownPlaces !== undefined) {
      return unknownCause(`where it would go: ${demand.unknownPlaces.reason}`)
    }
    switch (place?.kind) {
      case 'placed':
        return this.#ofPlaced(job, place.ranks)
      case 'waits':
        return this.#ofUnknownNeeds(job) ?? this.#ofWaiting(job, place.ranks)
      case 'infeasible':
        return { waitsFor: 'nothing', text: describeInfeasible(job) }
      default:
        return unknownCause('where it would go: the pending jobs are too many and too different')
    }
  }

  /** Its place is that of the most that it may need: what it waits for is not known if it does not fit there now. */
  #ofUnknownNeeds(job: WaitingJob): Cause | undefined {
    if (job.request !== undefined) return undefined
    const why =
      waysOf(job, this.#nodeCores) === undefined
        ? this.#demand?.unknownNeeds
        : this.#demand?.unknownRequests
    return why && unknownCause(`what it needs: ${why.reason}`)
  }

  /** It fits on what is free, once these ranks are there. */
  #ofPlaced(job: WaitingJob, ranks: Idset): Cause {
    const { ownDrained } = this.#snapshot.ranks
    const missing = subtractIdsets(ranks, this.#open)
    const unknownNeeds = isEmpty(missing) ? undefined : this.#ofUnknownNeeds(job)
    if (unknownNeeds !== undefined) return unknownNeeds
    const drained = intersectIdsets(missing, ownDrained)
    const absent = subtractIdsets(missing, ownDrained)
    if (!isEmpty(missing)) {
      const parts = [
        ...(isEmpty(absent) ? [] : [`${areNot(absent, ranks)} up yet`]),
        ...(isEmpty(drained)
          ? []
          : [
              `${verbOf(drained, ranks, 'is', 'are')} drained by the sidecar, which undrains what jobs need`,
            ]),
      ]
      const needs = `needs ${plural(countIds(ranks), 'node')}, ${spellRanks(ranks)}`
      return { waitsFor: 'nodes', ranks, text: `${needs}, ${parts.join(', and ')}` }
    }
    const first = this.#firstBefore(job)
    const verb = isOne(ranks) ? 'is' : 'are'
    if (first === undefined) {
      const text = `fits on ${spellRanks(ranks)}, which ${verb} free: the scheduler has not started it yet`
      return { waitsFor: 'scheduler', ranks, text }
    }
    const text = `would fit on ${spellRanks(ranks)}, but job ${formatJobId(first)} comes first`
    return { waitsFor: 'jobs', ranks, text }
  }

  /** It fits on these ranks when nothing else is on them: the lowest, while others may do as well. */
  #ofWaiting(job: WaitingJob, ranks: Idset): Cause {
    const { lost, ranks: known } = this.#snapshot
    if (isEmpty(ranks)) {
      const text =
        'needs ranks that are drained, do not answer or are not used by the scheduler: more nodes do not help'
      return { waitsFor: 'ranks', text }
    }
    const givenUp = isEmpty(lost) ? EMPTY_IDSET : intersectIdsets(ranks, lost)
    if (!isEmpty(givenUp)) {
      const text = `needs ${spellRanks(givenUp)}, given up after a long time offline`
      return { waitsFor: 'ranks', ranks, text }
    }
    const busy = intersectIdsets(ranks, known.allocated)
    const held = isEmpty(busy)
      ? `${spellRanks(ranks)}, which jobs before it would be given`
      : `${this.#holders.describe(busy)}${this.#alsoAbsent(subtractIdsets(ranks, busy))}`
    const waits = this.#needsAllOf(job, ranks) ? 'waits for' : 'waits for room, such as on'
    return { waitsFor: 'jobs', ranks, text: `${waits} ${held}` }
  }

  /** What else it waits for, beside ranks that are busy. */
  #alsoAbsent(ranks: Idset): string {
    const { ownDrained } = this.#snapshot.ranks
    const absent = subtractIdsets(ranks, unionIdsets(this.#open, ownDrained))
    if (isEmpty(absent)) return ''
    return `; ${spellRanks(absent)} ${isOne(absent) ? 'is' : 'are'} not up yet`
  }

  /** Whether no other ranks would do. */
  #needsAllOf({ queue = NO_QUEUE, request }: WaitingJob, ranks: Idset): boolean {
    const ofQueue = this.#snapshot.queues.get(queue)?.ranks
    const accepted = request === undefined || isUnknown(request) ? undefined : request.ranks
    const others = [ofQueue, accepted].reduce<Idset>(
      (left, some) => (some === undefined ? left : intersectIdsets(left, some)),
      this.#usable,
    )
    return countIds(others) <= countIds(ranks)
  }

  /** The job at which the scheduler looks before it looks at this one; `undefined` if there is none. */
  #firstBefore({ id, queue = NO_QUEUE }: WaitingJob): JobId | undefined {
    const first = this.#firsts.get(this.#snapshot.fluxion === undefined ? NO_QUEUE : queue)
    return first === id ? undefined : first
  }
}

const NAME = { characters: 60 }

function isOne(ranks: Idset): boolean {
  return countIds(ranks) === 1
}

function describeInfeasible({ request }: WaitingJob): string {
  const known = request === undefined || isUnknown(request) ? undefined : request
  if (known?.lackingProperty !== undefined) {
    return `needs property ${quote(known.lackingProperty, NAME)}, which no rank has: it can never start`
  }
  if (known?.ranks !== undefined && isEmpty(known.ranks)) {
    return 'has constraints that no rank satisfies: it can never start'
  }
  return 'asks for more than its queue has in R: it can never start; cancel it'
}

function unknownCause(what: string): Cause {
  return { waitsFor: 'unknown', text: `it is not known ${what}` }
}

/** `which are not` if that is so of all, else `of which ranks 8-9 are not`. */
function areNot(some: Idset, all: Idset): string {
  return verbOf(some, all, 'is not', 'are not')
}

function verbOf(some: Idset, all: Idset, one: string, many: string): string {
  const verb = isOne(some) ? one : many
  return isEmpty(subtractIdsets(all, some))
    ? `which ${verb}`
    : `of which ${spellRanks(some)} ${verb}`
}
