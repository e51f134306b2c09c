// Lists the pending jobs, over one connection, and reads their jobspecs as the broker's owner: the list alone does not say
// everything that a job needs. Both are bounded.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { getRequest } from '#flux/calls/job-calls.ts'
import { type JobId, listPendingJobs, type PendingJob } from '#flux/calls/job-list-calls.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import { mapInTurns } from '#flux/turns.ts'
import type { Client } from '#flux/wire/client.ts'
import { AcceptedRanks, type RankAttributes } from './constrained-ranks.ts'
import type { WaitingJob, WaitingJobs } from './facts.ts'
import { ReadBudget, type ReadRequest, RequestCache } from './request-cache.ts'
import { isUnknown, unknown } from './unknown.ts'

/**
 * At most this many pending jobs are listed, the highest priority first: 30 ms of the broker's time, 1 MB. If there are more
 * that could start, sizes are those of all of R, and sums over pending jobs are errors.
 */
export const MAX_WAITING = 10_000

/** At most this many jobspecs are read for one reading; 1,000 pipelined requests take a broker 55 ms. */
const MAX_JOBSPECS = 500

const GUEST = unknown(
  'Flux does not show guests how many GPUs a job asks for: run the sidecar with the UID of the broker (annotation ' +
    'flux-metrics/run-as-user), or submit jobs with a number of nodes',
)

const NOT_YET = unknown(
  'the jobspecs of some pending jobs are still being read: only a jobspec says how many GPUs its job asks for',
)

const TOO_LONG = unknown('the jobspec of a pending job has more than 1 MiB')

/** What the needs of jobs depend on besides the jobs. */
export interface PendingContext {
  /** The number of pending jobs in job-stats. */
  readonly counted: number
  /** Whether R has GPUs: only then a job can ask for some. */
  readonly hasGpus: boolean
  readonly attributes: RankAttributes
}

export class PendingJobReader {
  readonly #client: Client
  readonly #requests = new RequestCache()
  readonly #accepted = new AcceptedRanks()
  /** Whether the notes of users (annotations) leave room for the scheduler's, which are listed together with them. */
  #hasShortNotes = true
  /** Whether the broker refused a jobspec: then it would refuse every one. */
  #isGuest = false

  constructor(client: Client) {
    this.#client = client
  }

  /** @throws FluxError EPERM if Flux hides jobs from the sidecar */
  async read(limits: Limits): Promise<readonly PendingJob[]> {
    // One more, to find out whether the list is complete.
    const options = { maxEntries: MAX_WAITING + 1, withEstimates: this.#hasShortNotes }
    try {
      return await listPendingJobs(this.#client, options, limits)
    } catch (error) {
      if (!options.withEstimates || !isRemote(error, ERRNO.EMSGSIZE)) throw error
      this.#hasShortNotes = false
      return listPendingJobs(this.#client, { ...options, withEstimates: false }, limits)
    }
  }

  /** Adds what jobspecs say. */
  async complete(
    pending: readonly PendingJob[],
    { counted, hasGpus, attributes }: PendingContext,
    limits: Limits,
  ): Promise<WaitingJobs> {
    const listed = pending.slice(0, MAX_WAITING)
    // Metrics of users may ask for the GPUs of every pending job. Otherwise only jobs that could start matter.
    await this.#readRequests(hasGpus ? listed : listed.filter(canStart), limits)
    this.#accepted.restart(attributes)
    const jobs = await mapInTurns(listed, (job) => ({ ...job, request: this.#requestOf(job) }))
    const isKnown = !hasGpus || jobs.every(({ request }) => request !== undefined)
    const last = listed.at(-1)
    return {
      kind: 'known',
      jobs,
      // Jobs start and end between the two answers, so a complete list is more exact than job-stats.
      total: pending.length > MAX_WAITING ? Math.max(pending.length, counted) : pending.length,
      // Flux lists held jobs, and those without a priority, last.
      lacksStartable: pending.length > MAX_WAITING && last !== undefined && canStart(last),
      unknownRequests: isKnown ? undefined : this.#isGuest ? GUEST : NOT_YET,
    }
  }

  #requestOf(job: PendingJob): WaitingJob['request'] {
    const request = this.#requests.find(job)
    if (request === undefined || isUnknown(request)) return request
    const { ways, constraint } = request
    if (constraint === undefined) return { ways, ranks: undefined }
    try {
      const ranks = this.#accepted.find(constraint)
      return isUnknown(ranks) ? ranks : { ways, ranks }
    } catch (error) {
      if (error instanceof FluxError) return unknown(error.message)
      throw error
    }
  }

  async #readRequests(jobs: readonly PendingJob[], limits: Limits): Promise<void> {
    const read = new Map<JobId, ReadRequest>()
    const budget = new ReadBudget()
    if (!this.#isGuest) {
      const missing = jobs
        .filter((job) => this.#requests.find(job) === undefined)
        .slice(0, MAX_JOBSPECS)
      // One jobspec first: a guest is refused, and then the others need not be asked for.
      const [first, ...others] = missing
      if (first !== undefined) await this.#readRequest(first.id, { read, budget }, limits)
      await Promise.all(
        others.map(({ id }) => this.#isGuest || this.#readRequest(id, { read, budget }, limits)),
      )
    }
    this.#requests.replace(jobs, read)
  }

  async #readRequest(
    id: JobId,
    { read, budget }: { readonly read: Map<JobId, ReadRequest>; readonly budget: ReadBudget },
    limits: Limits,
  ): Promise<void> {
    try {
      const request = await getRequest(this.#client, id, limits)
      if (budget.take(request)) read.set(id, request)
    } catch (error) {
      if (isRemote(error, ERRNO.EPERM)) this.#isGuest = true
      else if (isRemote(error, ERRNO.EMSGSIZE)) read.set(id, TOO_LONG)
      else if (error instanceof FluxError && error.code === 'FLUX_PROTOCOL') {
        read.set(id, unknown(error.message))
      } else if (!hasLeft(error)) throw error
    }
  }
}

/** Whether the scheduler would start the job if there were nodes and its queue is started. */
export function canStart({ state, priority }: Pick<PendingJob, 'state' | 'priority'>): boolean {
  return state === 'SCHED' && priority !== 0
}

/** The job has started or ended; the next list will not have it. */
function hasLeft(error: unknown): boolean {
  return isRemote(error, ERRNO.EINVAL) || isRemote(error, ERRNO.ENOENT)
}
