// Lists the pending jobs, over one connection, and reads their jobspecs where the list does not say what a job needs. Both are
// bounded.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { getSlotRequest } from '#flux/calls/job-calls.ts'
import { type JobId, listPendingJobs, type PendingJob } from '#flux/calls/job-list-calls.ts'
import type { SlotRequest } from '#flux/calls/jobspec.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import type { Client } from '#flux/wire/client.ts'
import type { WaitingJobs } from './facts.ts'
import { unknown } from './unknown.ts'

/**
 * At most this many pending jobs are listed, the highest priority first: 30 ms of the broker's time, 1 MB. If there are more,
 * sizes are those of all of R, and sums over pending jobs are errors.
 */
export const MAX_WAITING = 10_000

/** At most this many jobspecs are read for one reading; 1,000 pipelined requests take a broker 55 ms. */
const MAX_JOBSPECS = 500

const GUEST = unknown(
  'Flux does not show guests how many GPUs a job asks for: run the sidecar with the UID of the broker (annotation ' +
    'flux-metrics/run-as-user), or submit jobs with a number of nodes',
)

const NOT_YET = unknown(
  'the jobspecs of some pending jobs are still being read or have an unknown shape: only a jobspec says how many GPUs ' +
    'its job asks for',
)

export class PendingJobReader {
  readonly #client: Client
  #requests: ReadonlyMap<JobId, SlotRequest> = new Map()
  /** Whether the broker refused a jobspec: then it would refuse every one. */
  #isGuest = false

  constructor(client: Client) {
    this.#client = client
  }

  /** @throws FluxError EPERM if Flux hides jobs from the sidecar */
  async read(limits: Limits): Promise<readonly PendingJob[]> {
    // One more, to find out whether the list is complete.
    return listPendingJobs(this.#client, MAX_WAITING + 1, limits)
  }

  /**
   * Adds the requests of the jobspecs, if a metric depends on them.
   *
   * @param counted the number of pending jobs in job-stats
   * @param hasGpus whether R has GPUs: only then a job can ask for some
   */
  async complete(
    pending: readonly PendingJob[],
    { counted, hasGpus }: { readonly counted: number; readonly hasGpus: boolean },
    limits: Limits,
  ): Promise<WaitingJobs> {
    const listed = pending.slice(0, MAX_WAITING)
    const requests = hasGpus ? await this.#readRequests(listed, limits) : new Map()
    const isKnown = !hasGpus || listed.every(({ id }) => requests.has(id))
    return {
      kind: 'known',
      jobs: listed.map((job) => ({ ...job, request: requests.get(job.id) })),
      // Jobs start and end between the two answers, so a complete list is more exact than job-stats.
      total: pending.length > MAX_WAITING ? Math.max(pending.length, counted) : pending.length,
      unknownRequests: isKnown ? undefined : this.#isGuest ? GUEST : NOT_YET,
    }
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
      // One jobspec first: a guest is refused, and then the others need not be asked for.
      const [first, ...others] = missing
      if (first !== undefined) await this.#readRequest(first, requests, limits)
      await Promise.all(
        others.map((id) => this.#isGuest || this.#readRequest(id, requests, limits)),
      )
    }
    // Requests of jobs that are no longer pending are dropped.
    this.#requests = requests
    return requests
  }

  async #readRequest(id: JobId, requests: Map<JobId, SlotRequest>, limits: Limits): Promise<void> {
    try {
      requests.set(id, await getSlotRequest(this.#client, id, limits))
    } catch (error) {
      if (isRemote(error, ERRNO.EPERM)) this.#isGuest = true
      else if (!concernsOneJob(error)) throw error
    }
  }
}

/** The job has left (the next list will not have it), or its jobspec has an unknown shape. The other jobs are still read. */
function concernsOneJob(error: unknown): boolean {
  if (isRemote(error, ERRNO.EINVAL) || isRemote(error, ERRNO.ENOENT)) return true
  return error instanceof FluxError && error.code === 'FLUX_PROTOCOL'
}
