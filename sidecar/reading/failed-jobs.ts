// Lists the jobs that failed in the last ten minutes, over one connection. The list is bounded, and Flux is asked only when
// there may be new failures.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { type FailedJob, listFailedJobs } from '#flux/calls/job-list-calls.ts'
import { ERRNO, isRemote } from '#flux/errors.ts'
import type { Client } from '#flux/wire/client.ts'
import { isUnknown, type Unknown, unknown } from './unknown.ts'

/** A reading contains the jobs that failed within this time. */
export const FAILED_SECONDS = 600

/** At most this many failed jobs are listed. */
const MAX_FAILED = 1_000

/** If there were more, they are listed again after this time: by then some of them are older than {@link FAILED_SECONDS}. */
const MANY_FAILED_SECONDS = 60

const TOO_MANY = unknown('too many jobs failed lately to list them')

/** The last list. */
interface FailedList {
  /** How many failed jobs Flux remembered when it was made. */
  readonly count: number
  /** It has the jobs that failed after this time, in seconds since the epoch. */
  readonly since: number
  readonly jobs: readonly FailedJob[] | Unknown
}

export class FailedJobReader {
  readonly #client: Client
  #list: FailedList | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /**
   * Jobs that failed within {@link FAILED_SECONDS}.
   *
   * @param counted how many failed jobs Flux remembers: while this number stays the same, Flux is not asked
   */
  async read(
    counted: number,
    takenAt: Date,
    limits: Limits,
  ): Promise<readonly FailedJob[] | Unknown> {
    const since = takenAt.getTime() / 1000 - FAILED_SECONDS
    if (counted === 0) return []
    const known = this.#list
    const isSame = known?.count === counted
    if (isSame && (!isUnknown(known.jobs) || since < known.since + MANY_FAILED_SECONDS)) {
      return isUnknown(known.jobs)
        ? known.jobs
        : known.jobs.filter(({ inactiveAt }) => inactiveAt >= since)
    }
    this.#list = { count: counted, since, jobs: await this.#listSince(since, limits) }
    return this.#list.jobs
  }

  async #listSince(since: number, limits: Limits): Promise<FailedList['jobs']> {
    try {
      const jobs = await listFailedJobs(this.#client, { maxEntries: MAX_FAILED, since }, limits)
      return jobs.length < MAX_FAILED ? jobs : TOO_MANY
    } catch (error) {
      // Users may end jobs with notes of any length.
      if (isRemote(error, ERRNO.EMSGSIZE)) return TOO_MANY
      throw error
    }
  }
}

/** Whether Fluxion refused a job. Fluxion uses the same words for a job that is wider than R, which fits at no size. */
export function isRefused({ exceptionType, exceptionNote }: FailedJob): boolean {
  return exceptionType === 'alloc' && /unsatisfiable/.test(exceptionNote ?? '')
}
