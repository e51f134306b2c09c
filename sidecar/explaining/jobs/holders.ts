// Which running jobs hold the ranks that a pending job waits for, in words. Pure.

import { plural, spellRanks } from '#explaining/wording.ts'
import { formatJobId } from '#flux/calls/job-id.ts'
import type { RunningJob } from '#flux/calls/job-list-calls.ts'
import { countIds, type Idset } from '#flux/sets/idset.ts'
import type { ListedJobs } from '#reading/facts.ts'
import { describeEnd } from './running-jobs.ts'

/** The most jobs that are named for one that waits for them. */
const MAX_HOLDERS = 2

/** The most ranges of running jobs that are looked at for all pending ones: a thousand jobs of a few ranges, fifty times. */
const MAX_STEPS = 200_000

const NO_JOBS: ListedJobs = { jobs: [], areAll: false }

/** The holders of ranks, for all pending jobs of one explanation. */
export class Holders {
  readonly #running: ListedJobs
  readonly #now: Date
  #steps = MAX_STEPS

  constructor(running: ListedJobs | undefined, now: Date) {
    this.#running = running ?? NO_JOBS
    this.#now = now
  }

  /** `ranks 2-3, which run job ƒ1xY of user 1000, which ends within 4 min; job ƒ2aK of user 1001; 3 more jobs`. */
  describe(busy: Idset): string {
    const where = spellRanks(busy)
    const isOne = countIds(busy) === 1
    const { jobs, areAll } = this.#find(busy)
    if (jobs.length === 0) return `${where}, which ${isOne ? 'is' : 'are'} allocated`
    const named = jobs.slice(0, MAX_HOLDERS).map((job) => {
      const owner = job.userid === undefined ? '' : ` of user ${job.userid}`
      return `job ${formatJobId(job.id)}${owner}${describeEnd(job, this.#now)}`
    })
    const more = jobs.length - named.length
    const all = [
      ...named,
      ...(more > 0 ? [plural(more, 'more job')] : []),
      ...(areAll ? [] : ['perhaps jobs that are not listed']),
    ]
    return `${where}, which ${isOne ? 'runs' : 'run'} ${all.join('; ')}`
  }

  /** Some, if it would take too long to find all. */
  #find(busy: Idset): ListedJobs {
    const found: RunningJob[] = []
    for (const job of this.#running.jobs) {
      if (this.#steps <= 0) return { jobs: found, areAll: false }
      if (this.#holdsAny(job, busy)) found.push(job)
    }
    return { jobs: found, areAll: this.#running.areAll }
  }

  #holdsAny({ ranks }: RunningJob, busy: Idset): boolean {
    for (const range of ranks.ranges) {
      this.#steps -= 1
      if (hasAnyOf(busy, range)) return true
      if (this.#steps <= 0) return false
    }
    return false
  }
}

function hasAnyOf({ ranges }: Idset, { first, last }: Idset['ranges'][number]): boolean {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle]?.last ?? 0) < first) low = middle + 1
    else high = middle
  }
  return (ranges[low]?.first ?? Number.POSITIVE_INFINITY) <= last
}
