// A job on the highest rank that is busy, over one connection: asked for when there may be another one. For people only.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { listRunningJobs, type RunningJob } from '#flux/calls/job-list-calls.ts'
import { isRemote } from '#flux/errors.ts'
import { hasId, highestId, subtractIdsets } from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import type { Client } from '#flux/wire/client.ts'
import type { Facts, Jobs } from './facts.ts'

/** Jobs on one rank are few: a node has some dozens of cores. */
const MAX_RUNNING = 4

/** The highest rank that is there and has something allocated. */
export function highestBusyRank({
  allocated,
  offline,
}: Pick<Facts, 'allocated' | 'offline'>): number | undefined {
  return highestId(subtractIdsets(ranksOf(allocated), offline))
}

/** Finds it. */
export class HighestJobReader {
  readonly #client: Client
  #found: { readonly key: string; readonly job: RunningJob | undefined } | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /**
   * A job on a rank, where Flux names one. For people only: that it cannot be told is no failure.
   *
   * @param jobs counts: as long as they and the rank do not change, nothing is asked
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
      const jobs = await listRunningJobs(this.#client, options, limits).catch(remoteAsNone)
      this.#found = { key, job: jobs.find(({ ranks }) => hasId(ranks, rank)) }
    }
    return this.#found.job
  }
}

function remoteAsNone(error: unknown): readonly RunningJob[] {
  if (isRemote(error)) return []
  throw error
}
