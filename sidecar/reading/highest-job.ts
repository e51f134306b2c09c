// Finds a job on the highest busy rank, over one connection. Flux is asked only when the answer may have changed. The job is
// shown to people; no size depends on it.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { listRunningJobs, type RunningJob } from '#flux/calls/job-list-calls.ts'
import { isRemote } from '#flux/errors.ts'
import { hasId, highestId, subtractIdsets } from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import type { Client } from '#flux/wire/client.ts'
import type { Facts, Jobs } from './facts.ts'

/** A rank has only a few jobs, because a node has some dozens of cores. */
const MAX_RUNNING = 4

/** The highest rank that is online and has something allocated. */
export function highestBusyRank({
  allocated,
  offline,
}: Pick<Facts, 'allocated' | 'offline'>): number | undefined {
  return highestId(subtractIdsets(ranksOf(allocated), offline))
}

export class HighestJobReader {
  readonly #client: Client
  #found: { readonly key: string; readonly job: RunningJob | undefined } | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /**
   * A job on a rank. `undefined` if Flux names none, also because it refuses the call: a reading does not fail for this.
   *
   * @param jobs while these counts and the rank stay the same, Flux is not asked
   */
  async read(
    rank: number | undefined,
    { total }: Pick<Jobs, 'total'>,
    limits: Limits,
  ): Promise<RunningJob | undefined> {
    if (rank === undefined) return undefined
    const key = JSON.stringify([rank, total.run, total.cleanup, total.inactive])
    if (this.#found?.key !== key) {
      const options = { maxEntries: MAX_RUNNING, ranks: String(rank) }
      const jobs = await listRunningJobs(this.#client, options, limits).catch(emptyIfRefused)
      this.#found = { key, job: jobs.find(({ ranks }) => hasId(ranks, rank)) }
    }
    return this.#found.job
  }
}

function emptyIfRefused(error: unknown): readonly RunningJob[] {
  if (isRemote(error)) return []
  throw error
}
