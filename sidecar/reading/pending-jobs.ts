// The jobs that wait, over one connection: the list, bounded, and the jobspecs of those whose needs it does not tell.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { getSlotRequest } from '#flux/calls/job-calls.ts'
import { type JobId, listPendingJobs, type PendingJob } from '#flux/calls/job-list-calls.ts'
import type { SlotRequest } from '#flux/calls/jobspec.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import type { Client } from '#flux/wire/client.ts'
import type { WaitingJobs } from './facts.ts'
import { unknown } from './unknown.ts'

/**
 * So many of the jobs that wait are listed, those of the highest priority: 30 ms of the broker's time, 1 MB. With more,
 * sizes are those of all of R, and sums are errors.
 */
export const MAX_WAITING = 10_000

/** Jobspecs read at a time; 1,000 pipelined requests take a broker 55 ms. */
const MAX_JOBSPECS = 500

const GUEST = unknown(
  'Flux does not tell guests how many GPUs a job wants: run the sidecar with the UID of the broker (annotation ' +
    'flux-metrics/run-as-user), or submit jobs with a number of nodes',
)

const NOT_YET = unknown(
  'the jobspecs of some pending jobs are still being read, or of a shape that we do not know: how many GPUs they want ' +
    'is in there',
)

/** Lists the jobs that wait, and reads their jobspecs where those matter. */
export class PendingJobReader {
  readonly #client: Client
  #requests: ReadonlyMap<JobId, SlotRequest> = new Map()
  /** Whether the broker refused us a jobspec: it would refuse us every one. */
  #isGuest = false

  constructor(client: Client) {
    this.#client = client
  }

  /** @throws FluxError EPERM where Flux hides jobs from us */
  async read(limits: Limits): Promise<readonly PendingJob[]> {
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
    const isKnown = !hasGpus || listed.every(({ id }) => requests.has(id))
    return {
      kind: 'known',
      jobs: listed.map((job) => ({ ...job, request: requests.get(job.id) })),
      // Jobs come and go between the two answers: what is listed whole is counted so.
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
