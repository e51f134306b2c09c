// What each pending job waits for, as data and as a sentence. From facts only: what Flux does not say is not guessed. Pure.
import { formatJobId } from '#flux/calls/job-id.ts'
import type { JobId } from '#flux/calls/job-list-calls.ts'
import {
  countIds,
  formatIdset,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { canStart, NO_QUEUE, type WaitingJob } from '#reading/facts.ts'
import { isUnknown } from '#reading/unknown.ts'
import { type Demand, MAX_PLACES } from '#scaling/demand.ts'
import type { Place } from '#scaling/placement/placement.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { quote } from '#serving/text.ts'
import { describeEnd } from './running-jobs.ts'
import { describeUnstarted } from './unstarted-jobs.ts'
import { plural, spellRanks } from './wording.ts'

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
  /** The scheduler: it fits on free ranks. */
  | 'scheduler'
  /** Ranks that no job is given, because they are drained or were given up. */
  | 'ranks'
  /** What R does not have: it never starts. */
  | 'nothing'
  | 'unknown'

/** A pending job. */
export interface PendingJobExplanation {
  /** F58 (RFC 19): `ƒ2aK`. */
  readonly id: string
  readonly user: number | null
  /** `null` without named queues. */
  readonly queue: string | null
  /** Seconds since it was submitted; `null` if Flux does not say. */
  readonly waitedSeconds: number | null
  readonly waitsFor: WaitsFor
  /** The ranks that it would be given, as an idset (RFC 22); `null` if there are none or they are not known. */
  readonly ranks: string | null
  /** What it waits for, without its id: `waits for rank 2, which runs job ƒ1xY of user 1000`. */
  readonly text: string
}

/** The first pending jobs, the highest priority first. */
export interface PendingJobsExplanation {
  readonly first: readonly PendingJobExplanation[]
  /** How many more jobs are pending. */
  readonly more: number
}

type Cause = Pick<PendingJobExplanation, 'waitsFor' | 'text'> & { readonly ranks?: Idset }

/** @returns `null` if Flux does not show the jobs */
export function explainPendingJobs(snapshot: Snapshot, now: Date): PendingJobsExplanation | null {
  const { waiting, demand } = snapshot
  if (isUnknown(waiting)) return null
  const first = waiting.jobs.slice(0, MAX_PLACES)
  const causes = new Causes(snapshot, demand.kind === 'known' ? demand : undefined, now)
  return {
    first: first.map((job) => {
      const { waitsFor, text, ranks } = causes.of(job)
      const { id, userid = null, queue = null, submittedAt } = job
      const waited = submittedAt === undefined ? null : now.getTime() / 1000 - submittedAt
      return {
        id: formatJobId(id),
        user: userid,
        queue,
        waitedSeconds: waited === null ? null : Math.max(0, waited),
        waitsFor,
        ranks: ranks === undefined || isEmpty(ranks) ? null : formatIdset(ranks),
        text,
      }
    }),
    more: Math.max(0, waiting.total - first.length),
  }
}

class Causes {
  readonly #snapshot: Snapshot
  readonly #demand: Demand | undefined
  readonly #now: Date
  /** The job at which the scheduler looks first, of each queue; of all queues if it has one order for all. */
  readonly #firsts: ReadonlyMap<string, JobId>

  constructor(snapshot: Snapshot, demand: Demand | undefined, now: Date) {
    this.#snapshot = snapshot
    this.#demand = demand
    this.#now = now
    this.#firsts = firstJobsIn(snapshot, demand)
  }

  of(job: WaitingJob): Cause {
    const { queues, unstarted = [], takenAt } = this.#snapshot
    const name = job.queue ?? NO_QUEUE
    if (job.state === 'DEPEND') {
      return { waitsFor: 'dependency', text: 'waits for a dependency' }
    }
    if (job.state === 'PRIORITY') return { waitsFor: 'priority', text: 'waits for a priority' }
    if (!canStart(job)) {
      const text = `is held (priority 0): release it with flux job urgency ${formatJobId(job.id)}`
      return { waitsFor: 'release', text }
    }
    if (queues.get(name)?.started === false) {
      const queue = name === NO_QUEUE ? 'the queue' : `queue ${quote(name, NAME)}`
      return { waitsFor: 'queue', text: `${queue} is stopped: start it with flux queue start` }
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
        return this.#ofWaiting(place.ranks)
      case 'infeasible':
        return { waitsFor: 'nothing', text: describeInfeasible(job) }
      default:
        return unknownCause('where it would go: the pending jobs are too many and too different')
    }
  }

  /** It fits on what is free, once these ranks are there. */
  #ofPlaced(job: WaitingJob, ranks: Idset): Cause {
    const { open, burstedOpen, ownDrained } = this.#snapshot.ranks
    const missing = subtractIdsets(ranks, unionIdsets(open, burstedOpen))
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

  /** It fits on these ranks when nothing else is on them. */
  #ofWaiting(ranks: Idset): Cause {
    const { lost, ranks: known } = this.#snapshot
    if (isEmpty(ranks)) {
      const text =
        'accepts only ranks that are drained or not used by the scheduler: more nodes do not help'
      return { waitsFor: 'ranks', text }
    }
    const givenUp = intersectIdsets(ranks, lost)
    if (!isEmpty(givenUp)) {
      const text = `needs ${spellRanks(givenUp)}, given up after a long time offline`
      return { waitsFor: 'ranks', ranks, text }
    }
    const busy = intersectIdsets(ranks, known.allocated)
    if (isEmpty(busy)) {
      const text = `waits for ${spellRanks(ranks)}, which jobs before it would be given`
      return { waitsFor: 'jobs', ranks, text }
    }
    return {
      waitsFor: 'jobs',
      ranks,
      text: `waits for ${describeHolders(this.#snapshot, busy, this.#now)}`,
    }
  }

  /** The job at which the scheduler looks before it looks at this one; `undefined` if there is none. */
  #firstBefore({ id, queue = NO_QUEUE }: WaitingJob): JobId | undefined {
    const first = this.#firsts.get(this.#snapshot.fluxion === undefined ? NO_QUEUE : queue)
    return first === id ? undefined : first
  }
}

const NAME = { characters: 60 }

/** The most jobs that are named for one that waits for them. */
const MAX_HOLDERS = 2

/** `ranks 2-3, which run job ƒ1xY of user 1000, which ends within 4 min; job ƒ2aK of user 1001; 3 more jobs`. */
function describeHolders({ runningJobs }: Snapshot, busy: Idset, now: Date): string {
  const where = spellRanks(busy)
  const jobs = runningJobs?.jobs.filter(({ ranks }) => !isEmpty(intersectIdsets(ranks, busy))) ?? []
  if (jobs.length === 0) return `${where}, which ${isOne(busy) ? 'is' : 'are'} allocated`
  const named = jobs.slice(0, MAX_HOLDERS).map((job) => {
    const owner = job.userid === undefined ? '' : ` of user ${job.userid}`
    return `job ${formatJobId(job.id)}${owner}${describeEnd(job, now)}`
  })
  const more = jobs.length - named.length
  const all = [...named, ...(more > 0 ? [plural(more, 'more job')] : [])]
  return `${where}, which ${isOne(busy) ? 'runs' : 'run'} ${all.join('; ')}`
}

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

/** As schedulers do: Fluxion has an order for each queue, sched-simple one for all. */
function firstJobsIn(
  { waiting, queues, fluxion }: Snapshot,
  demand: Demand | undefined,
): ReadonlyMap<string, JobId> {
  const firsts = new Map<string, JobId>()
  if (isUnknown(waiting)) return firsts
  for (const job of waiting.jobs) {
    const queue = job.queue ?? NO_QUEUE
    if (!canStart(job) || queues.get(queue)?.started === false) continue
    if (demand?.infeasibleJobs.has(job.id)) continue
    const name = fluxion === undefined ? NO_QUEUE : queue
    if (!firsts.has(name)) firsts.set(name, job.id)
  }
  return firsts
}
