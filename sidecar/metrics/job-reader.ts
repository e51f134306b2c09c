// The lists of jobs, over one connection: which wait, which failed lately, which one holds the highest rank. Bounded, and
// asked for again only when there may be something new.
import type { Limits } from '#flux/calls.ts'
import type { Client } from '#flux/client.ts'
import { ERRNO, isRemote } from '#flux/errors.ts'
import { hasId } from '#flux/idset.ts'
import { getSlotRequest } from '#flux/job-calls.ts'
import {
  type FailedJob,
  type JobId,
  listFailedJobs,
  listPendingJobs,
  listRunningJobs,
  type PendingJob,
  type RunningJob,
} from '#flux/job-list-calls.ts'
import type { SlotRequest } from '#flux/jobspec.ts'
import { FAILED_SECONDS, type Jobs, type WaitingJobs } from './facts.ts'

/**
 * So many of the jobs that wait are listed, those of the highest priority: 30 ms of the broker's time, 1 MB. With more,
 * sizes are those of all of R, and sums are errors.
 */
export const MAX_WAITING = 10_000

/** Failed jobs of the last while are listed up to so many. */
const MAX_FAILED = 1_000

/** Jobspecs read at a time; 1,000 pipelined requests take a broker 55 ms. */
const MAX_JOBSPECS = 500

/** Jobs on one rank are few: a node has some dozens of cores. */
const MAX_RUNNING = 4

const GUEST =
  'Flux does not tell guests how many GPUs a job wants: run the sidecar with the UID of the broker (annotation ' +
  'flux-metrics/run-as-user), or submit jobs with a number of nodes'

const NOT_YET = 'the jobspecs of the pending jobs are still being read, for the GPUs that they want'

/** Reads lists of jobs. */
export class JobReader {
  readonly #client: Client
  #requests: ReadonlyMap<JobId, SlotRequest> = new Map()
  /** Whether the broker refused us a jobspec: it would refuse us every one. */
  #isGuest = false
  #failed: { readonly count: number; readonly jobs: readonly FailedJob[] | undefined } | undefined
  #highest: { readonly key: string; readonly job: RunningJob | undefined } | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /** @throws FluxError EPERM where Flux hides jobs from us */
  async readPending(limits: Limits): Promise<readonly PendingJob[]> {
    return listPendingJobs(this.#client, MAX_WAITING, limits)
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
    const requests = hasGpus ? await this.#readRequests(pending, limits) : new Map()
    const isCut = pending.length >= MAX_WAITING
    return {
      kind: 'known',
      jobs: pending.map((job) => ({ ...job, request: requests.get(job.id) })),
      total: isCut ? Math.max(pending.length, counted) : pending.length,
      untold: hasGpus ? (this.#isGuest ? GUEST : NOT_YET) : undefined,
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
    if (this.#failed?.count !== counted) {
      const options = { maxEntries: MAX_FAILED, since }
      const jobs = await listFailedJobs(this.#client, options, limits)
      this.#failed = { count: counted, jobs: jobs.length < MAX_FAILED ? jobs : undefined }
    }
    return this.#failed.jobs?.filter(({ inactiveAt }) => inactiveAt >= since)
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
      // A job that is gone, or came and went: the next list tells.
      else if (!isRemote(error, ERRNO.EINVAL) && !isRemote(error, ERRNO.ENOENT)) throw error
    }
  }
}

function remoteAsNone(error: unknown): readonly RunningJob[] {
  if (isRemote(error)) return []
  throw error
}
