// Lists the running jobs, over one connection: their ranks are busy even if Flux does not show them as allocated, and one of
// them is shown as the job on the highest busy rank. Flux is asked only when the answer may have changed.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { listRunningJobs, type RunningJob } from '#flux/calls/job-list-calls.ts'
import { isRemote } from '#flux/errors.ts'
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

/** More running jobs are not listed each time that one starts or ends: this many are 100 kB. */
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
  #last: { readonly key: string; readonly jobs: RunningJobs } | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /**
   * @param counts while these and the highest allocated rank stay the same, Flux is not asked
   * @throws FluxError if Flux lists no jobs although some run and nothing is allocated: their ranks are not known then
   */
  async read(
    facts: Pick<Facts, 'allocated' | 'offline'>,
    { total }: Pick<Jobs, 'total'>,
    limits: Limits,
  ): Promise<RunningJobs> {
    const count = total.run + total.cleanup
    if (count === 0) return { ranks: EMPTY_IDSET, highest: undefined }
    const highest = highestBusyRank({ ...facts, running: EMPTY_IDSET })
    const key = JSON.stringify([highest, total.run, total.cleanup, total.inactive])
    if (this.#last?.key === key) return this.#last.jobs
    const isAnyAllocated = !isEmpty(ranksOf(facts.allocated))
    const options =
      count <= MAX_LISTED || !isAnyAllocated
        ? { maxEntries: MAX_LISTED }
        : { maxEntries: MAX_ON_RANK, ranks: String(highest ?? 0) }
    const listed = await listRunningJobs(this.#client, options, limits).catch((error: unknown) => {
      if (isAnyAllocated && isRemote(error)) return []
      throw error
    })
    const ranks = listed.map((job) => job.ranks).reduce(unionIdsets, EMPTY_IDSET)
    const busy = highestBusyRank({ ...facts, running: ranks })
    const jobs = {
      ranks,
      highest: busy === undefined ? undefined : listed.find((job) => hasId(job.ranks, busy)),
    }
    this.#last = { key, jobs }
    return jobs
  }
}
