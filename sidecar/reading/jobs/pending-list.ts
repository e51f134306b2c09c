// Lists the pending jobs over one connection, up to a bound. Where more wait, those in stopped queues are left out, so that they
// do not hide those that could start.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { listPendingJobs, type PendingJob } from '#flux/calls/job-list-calls.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import type { Client } from '#flux/wire/client.ts'

/**
 * At most this many pending jobs are listed, the highest priority first: 30 ms of the broker's time, 1 MB. If there are more
 * that could start, sizes are those of all of R, and sums over pending jobs are errors.
 */
export const MAX_WAITING = 10_000

export class PendingList {
  readonly #client: Client
  /** Whether the notes of users (annotations) leave room for the scheduler's, which are listed together with them. */
  #hasShortNotes = true
  /** Queues to leave out of the next list: their jobs cannot start, and there are more jobs than are listed. */
  #toLeaveOut: readonly string[] = []
  /** Queues that the last list does not have. */
  #leftOut: readonly string[] = []
  /** Whether the broker leaves out queues: before 0.53 none does, and any gives up a search that takes too long. */
  #leavesOut = true

  constructor(client: Client) {
    this.#client = client
  }

  /** Queues that the last list does not have. */
  get leftOut(): readonly string[] {
    return this.#leftOut
  }

  /** @param queues those that the next list need not have, if the broker can leave them out: their jobs cannot start */
  leaveOut(queues: readonly string[]): void {
    this.#toLeaveOut = queues
  }

  /** @throws FluxError EPERM if Flux hides jobs from the sidecar */
  async read(limits: Limits): Promise<readonly PendingJob[]> {
    this.#leftOut = []
    const queues = this.#leavesOut ? this.#toLeaveOut : []
    if (queues.length === 0) return this.#ask([], limits)
    const others = await this.#readWithout(queues, limits)
    if (others !== undefined) return others
    const all = await this.#ask([], limits)
    this.#leavesOut = false
    return all
  }

  /** @returns `undefined` if the broker does not leave out these queues */
  async #readWithout(
    queues: readonly string[],
    limits: Limits,
  ): Promise<readonly PendingJob[] | undefined> {
    try {
      const listed = await this.#ask(queues, limits)
      if (listed.some(({ queue }) => queue !== undefined && queues.includes(queue)))
        return undefined
      this.#leftOut = queues
      return listed
    } catch (error) {
      if (error instanceof FluxError && error.code === 'FLUX_REMOTE') return undefined
      throw error
    }
  }

  async #ask(withoutQueues: readonly string[], limits: Limits): Promise<readonly PendingJob[]> {
    // One more, to find out whether the list is complete.
    const query = { maxEntries: MAX_WAITING + 1, withoutQueues }
    const withEstimates = this.#hasShortNotes
    try {
      return await listPendingJobs(this.#client, { ...query, withEstimates }, limits)
    } catch (error) {
      if (!withEstimates || !isRemote(error, ERRNO.EMSGSIZE)) throw error
      this.#hasShortNotes = false
      return listPendingJobs(this.#client, { ...query, withEstimates: false }, limits)
    }
  }
}
