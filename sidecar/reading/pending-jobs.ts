// The lists of jobs, over one connection: which wait, which failed lately, which one holds the highest rank. Bounded, and
// asked for again only when there may be something new.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { getSlotRequest } from '#flux/calls/job-calls.ts'
import {
  type FailedJob,
  type JobId,
  listFailedJobs,
  listPendingJobs,
  listRunningJobs,
  type PendingJob,
  type RunningJob,
} from '#flux/calls/job-list-calls.ts'
import type { SlotRequest } from '#flux/calls/jobspec.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import { hasId } from '#flux/sets/idset.ts'
import type { Client } from '#flux/wire/client.ts'
import { FAILED_SECONDS, type Jobs, type WaitingJobs } from './facts.ts'

/**
 * So many of the jobs that wait are listed, those of the highest priority: 30 ms of the broker's time, 1 MB. With more,
 * sizes are those of all of R, and sums are errors.
 */
export const MAX_WAITING = 10_000

/** Failed jobs of the last while are listed up to so many. */
const MAX_FAILED = 1_000

/** If there were more, they are asked for again after this long: some are older than the last while then. */
const MANY_FAILED_SECONDS = 60

/** Jobspecs read at a time; 1,000 pipelined requests take a broker 55 ms. */
const MAX_JOBSPECS = 500

/** Jobs on one rank are few: a node has some dozens of cores. */
const MAX_RUNNING = 4

const GUEST =
  'Flux does not tell guests how many GPUs a job wants: run the sidecar with the UID of the broker (annotation ' +
  'flux-metrics/run-as-user), or submit jobs with a number of nodes'

const NOT_YET =
  'the jobspecs of some pending jobs are still being read, or of a shape that we do not know: how many GPUs they want ' +
  'is in there'

/** What was listed of those that failed after `since`, and how many Flux remembered then. */
interface FailedJobs {
  readonly count: number
  readonly since: number
  /** `undefined`: too many. */
  readonly jobs: readonly FailedJob[] | undefined
}

/** Reads lists of jobs. */
export class JobReader {
  readonly #client: Client
  #requests: ReadonlyMap<JobId, SlotRequest> = new Map()
  /** Whether the broker refused us a jobspec: it would refuse us every one. */
  #isGuest = false
  #failed: FailedJobs | undefined
  #highest: { readonly key: string; readonly job: RunningJob | undefined } | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** @throws FluxError EPERM where Flux hides jobs from us */
  async readPending(limits: Limits): Promise<readonly PendingJob[]> {
    // One more, which tells whether there are more.
    return listPendingJobs(this.#client, MAX_WAITING + 1, limits)
  }

  /**
   * Adds what only jobspecs tell, if it matters.
   *
   * @param counted how many jobs wait by job-stats
   * @param hasGpus whether R has any: only then a job can ask for some
   */
  async complete(
    pending: readonly PendingJob[],
    { counted, hasGpus }: { readonly counted: number; readonly hasGpus: boolean },
    limits: Limits,
  ): Promise<WaitingJobs> {
    const listed = pending.slice(0, MAX_WAITING)
    const requests = hasGpus ? await this.#readRequests(listed, limits) : new Map()
    const isTold = !hasGpus || listed.every(({ id }) => requests.has(id))
    return {
      kind: 'known',
      jobs: listed.map((job) => ({ ...job, request: requests.get(job.id) })),
      // Jobs come and go between the two answers: what is listed whole is counted so.
      total: pending.length > MAX_WAITING ? Math.max(pending.length, counted) : pending.length,
      untold: isTold ? undefined : this.#isGuest ? GUEST : NOT_YET,
    }
  }

  /**
   * Jobs that failed within {@link FAILED_SECONDS}; `undefined` if they are too many.
   *
   * @param counted failed jobs that Flux remembers: as long as it does not change, nothing is asked
   */
  async readFailed(
    counted: number,
    takenAt: Date,
    limits: Limits,
  ): Promise<readonly FailedJob[] | undefined> {
    const since = takenAt.getTime() / 1000 - FAILED_SECONDS
    if (counted === 0) return []
    const known = this.#failed
    const isSame = known?.count === counted
    if (isSame && (known.jobs !== undefined || since < known.since + MANY_FAILED_SECONDS)) {
      return known.jobs?.filter(({ inactiveAt }) => inactiveAt >= since)
    }
    const jobs = await listFailedJobs(this.#client, { maxEntries: MAX_FAILED, since }, limits)
    this.#failed = { count: counted, since, jobs: jobs.length < MAX_FAILED ? jobs : undefined }
    return this.#failed.jobs
  }

  /**
   * A job on a rank, where Flux names one. For people only: that it cannot be told is no failure.
   *
   * @param jobs counts: as long as they and the rank do not change, nothing is asked
   */
  async readHighest(
    rank: number | undefined,
    { total }: Pick<Jobs, 'total'>,
    limits: Limits,
  ): Promise<RunningJob | undefined> {
    if (rank === undefined) return undefined
    const key = JSON.stringify([rank, total.run, total.cleanup, total.inactive])
    if (this.#highest?.key !== key) {
      const options = { maxEntries: MAX_RUNNING, ranks: String(rank) }
      const jobs = await listRunningJobs(this.#client, options, limits).catch(remoteAsNone)
      this.#highest = { key, job: jobs.find(({ ranks }) => hasId(ranks, rank)) }
    }
    return this.#highest.job
  }

  async #readRequests(
    pending: readonly PendingJob[],
    limits: Limits,
  ): Promise<ReadonlyMap<JobId, SlotRequest>> {
    const known = this.#requests
    const requests = new Map<JobId, SlotRequest>()
    const missing: JobId[] = []
    for (const { id } of pending) {
      const request = known.get(id)
      if (request !== undefined) requests.set(id, request)
      else if (missing.length < MAX_JOBSPECS) missing.push(id)
    }
    if (!this.#isGuest) {
      // One first: a guest is refused, and need not be so five hundred times.
      const [first, ...others] = missing
      if (first !== undefined) await this.#readRequest(first, requests, limits)
      await Promise.all(
        others.map((id) => this.#isGuest || this.#readRequest(id, requests, limits)),
      )
    }
    // Only of jobs that still wait.
    this.#requests = requests
    return requests
  }

  async #readRequest(id: JobId, requests: Map<JobId, SlotRequest>, limits: Limits): Promise<void> {
    try {
      requests.set(id, await getSlotRequest(this.#client, id, limits))
    } catch (error) {
      if (isRemote(error, ERRNO.EPERM)) this.#isGuest = true
      else if (!isOfOneJob(error)) throw error
    }
  }
}

/** A job that is gone, as the next list tells; or one that asks in a shape of its own, which must not hide the others. */
function isOfOneJob(error: unknown): boolean {
  if (isRemote(error, ERRNO.EINVAL) || isRemote(error, ERRNO.ENOENT)) return true
  return error instanceof FluxError && error.code === 'FLUX_PROTOCOL'
}

function remoteAsNone(error: unknown): readonly RunningJob[] {
  if (isRemote(error)) return []
  throw error
}
