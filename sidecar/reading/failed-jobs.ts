// The jobs that failed lately, over one connection: listed, bounded, and only when there may be new ones.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { type FailedJob, listFailedJobs } from '#flux/calls/job-list-calls.ts'
import type { Client } from '#flux/wire/client.ts'
import { isUnknown, type Unknown, unknown } from './unknown.ts'

/** For how long jobs that failed are remembered in a reading. */
export const FAILED_SECONDS = 600

/** Failed jobs of the last while are listed up to so many. */
const MAX_FAILED = 1_000

/** If there were more, they are asked for again after this long: some are older than the last while then. */
const MANY_FAILED_SECONDS = 60

const TOO_MANY = unknown('too many jobs failed lately to list them')

/** What was listed of those that failed after `since`, and how many Flux remembered then. */
interface FailedList {
  readonly count: number
  readonly since: number
  readonly jobs: readonly FailedJob[] | Unknown
}

/** Lists failed jobs. */
export class FailedJobReader {
  readonly #client: Client
  #list: FailedList | undefined

  constructor(client: Client) {
    this.#client = client
  }

  /**
   * Jobs that failed within {@link FAILED_SECONDS}.
   *
   * @param counted failed jobs that Flux remembers: as long as it does not change, nothing is asked
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
    const jobs = await listFailedJobs(this.#client, { maxEntries: MAX_FAILED, since }, limits)
    this.#list = { count: counted, since, jobs: jobs.length < MAX_FAILED ? jobs : TOO_MANY }
    return this.#list.jobs
  }
}

/** Whether Fluxion refused a job. Its words are the same for one that is wider than R, which no size would cure. */
export function isRefused({ exceptionType, exceptionNote }: FailedJob): boolean {
  return exceptionType === 'alloc' && /unsatisfiable/.test(exceptionNote ?? '')
}
