// Lists the running jobs, over one connection: their ranks are busy even if Flux does not show them as allocated, and one of
// them is shown as the job on the highest busy rank. Flux is asked at every reading: no count tells that one job has taken the
// place of another.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { listRunningJobs, type RunningJob } from '#flux/calls/job-list-calls.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import {
  EMPTY_IDSET,
  hasId,
  highestId,
  type Idset,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import type { Client } from '#flux/wire/client.ts'
import type { Facts, Jobs } from './facts.ts'

/** More running jobs are not listed: this many are 100 kB. */
const MAX_LISTED = 1_000

/** A rank has only a few jobs, because a node has some dozens of cores. */
const MAX_ON_RANK = 4

export interface RunningJobs {
  /**
   * Ranks of running jobs. Jobs that bypass the scheduler (alloc-bypass) are not in `allocated`. Empty if the jobs are too
   * many to be listed.
   */
  readonly ranks: Idset
  /** A job on the highest busy rank, if Flux names one. */
  readonly highest: RunningJob | undefined
}

/** The highest rank that is online and busy. */
export function highestBusyRank({
  allocated,
  offline,
  running,
}: Pick<Facts, 'allocated' | 'offline' | 'running'>): number | undefined {
  return highestId(subtractIdsets(unionIdsets(ranksOf(allocated), running), offline))
}

export class RunningJobReader {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  /**
   * @param total counted before: without active jobs then, there is nothing to list
   * @throws FluxError if Flux does not list the jobs: a rank that it does not show as allocated may be busy
   */
  async read(
    facts: Pick<Facts, 'allocated' | 'offline'>,
    { total }: Pick<Jobs, 'total'>,
    limits: Limits,
  ): Promise<RunningJobs> {
    const count = total.run + total.cleanup
    // A job that was pending may run by now.
    const active = (total.new ?? 0) + total.depend + total.priority + total.sched + count
    if (active === 0) return { ranks: EMPTY_IDSET, highest: undefined }
    const highest = highestBusyRank({ ...facts, running: EMPTY_IDSET })
    const isAnyAllocated = !isEmpty(ranksOf(facts.allocated))
    const options =
      count <= MAX_LISTED || !isAnyAllocated
        ? { maxEntries: MAX_LISTED }
        : { maxEntries: MAX_ON_RANK, ranks: String(highest ?? 0) }
    const listed = await this.#list(options, limits, { isAnyAllocated })
    if (listed === undefined) return { ranks: EMPTY_IDSET, highest: undefined }
    if (!isAnyAllocated && listed.length >= MAX_LISTED) {
      throw new FluxError(
        'FLUX_PROTOCOL',
        `no rank is allocated, and more than ${MAX_LISTED} jobs run`,
      )
    }
    const ranks = listed.map((job) => job.ranks).reduce(unionIdsets, EMPTY_IDSET)
    const busy = highestBusyRank({ ...facts, running: ranks })
    return {
      ranks,
      highest: busy === undefined ? undefined : listed.find((job) => hasId(job.ranks, busy)),
    }
  }

  /** `undefined` if this release of Flux refuses the list, and the allocated ranks are known. Any other error is passed on. */
  async #list(
    options: Parameters<typeof listRunningJobs>[1],
    limits: Limits,
    { isAnyAllocated }: { readonly isAnyAllocated: boolean },
  ): Promise<readonly RunningJob[] | undefined> {
    try {
      return await listRunningJobs(this.#client, options, limits)
    } catch (error) {
      if (isAnyAllocated && isRemote(error, ERRNO.EINVAL)) return undefined
      throw error
    }
  }
}
