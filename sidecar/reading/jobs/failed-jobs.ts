// Lists the jobs that failed in the last ten minutes, over one connection. The list is bounded, and Flux is asked only when
// there may be new failures.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { type FailedJob, listFailedJobs } from '#flux/calls/job-list-calls.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import type { Client } from '#flux/wire/client.ts'
import type { Jobs } from '#reading/facts.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'

/** A reading contains the jobs that failed within this time. */
export const FAILED_SECONDS = 600

/** At most this many failed jobs are listed. */
const MAX_FAILED = 1_000

/** If there were more, they are listed again after this time: by then some of them are older than {@link FAILED_SECONDS}. */
const MANY_FAILED_SECONDS = 60

const TOO_MANY = unknown('too many jobs failed lately to list them')

const NOT_COUNTED = unknown('Flux does not say how many jobs failed')

/** The last list. */
interface FailedList {
  /** Changes whenever a job fails: while one is forgotten, another may fail. */
  readonly key: string
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
   * @param counts while as many failed jobs are remembered, and as many jobs forgotten, Flux is not asked
   * @returns unknown if Flux refuses the list or answers in an unexpected form: no size depends on it
   */
  async read(
    { total: { failed }, purged }: Pick<Jobs, 'total' | 'purged'>,
    takenAt: Date,
    limits: Limits,
  ): Promise<readonly FailedJob[] | Unknown> {
    const since = takenAt.getTime() / 1000 - FAILED_SECONDS
    if (failed === 0) return []
    if (failed === undefined) return NOT_COUNTED
    const key = JSON.stringify([failed, purged])
    const known = this.#list
    const isSame = known?.key === key
    if (isSame && (!isUnknown(known.jobs) || since < known.since + MANY_FAILED_SECONDS)) {
      return isUnknown(known.jobs)
        ? known.jobs
        : known.jobs.filter(({ inactiveAt }) => inactiveAt >= since)
    }
    this.#list = { key, since, jobs: await this.#listSince(since, limits) }
    return this.#list.jobs
  }

  async #listSince(since: number, limits: Limits): Promise<FailedList['jobs']> {
    try {
      const jobs = await listFailedJobs(this.#client, { maxEntries: MAX_FAILED, since }, limits)
      return jobs.length < MAX_FAILED ? jobs : TOO_MANY
    } catch (error) {
      if (isRemote(error, ERRNO.EPERM)) throw error
      // Users may end jobs with notes of any length.
      if (isRemote(error, ERRNO.EMSGSIZE)) return TOO_MANY
      if (isRemote(error) || (error instanceof FluxError && error.code === 'FLUX_PROTOCOL')) {
        return unknown(error.message)
      }
      throw error
    }
  }
}

/** Whether the scheduler refused a job. What it had too little of is found in scaling/refusals.ts. */
export function isRefused({ exceptionType, exceptionNote }: FailedJob): boolean {
  return exceptionType === 'alloc' && /unsatisfiable/.test(exceptionNote ?? '')
}
