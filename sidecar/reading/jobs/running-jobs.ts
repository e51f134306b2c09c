// Lists the running jobs, over one connection: their ranks are busy even if Flux does not show them as allocated, and one of
// them is shown as the job on the highest busy rank. Flux is asked at every reading: no count tells that one job has taken the
// place of another.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { type JobId, listRunningJobs, type RunningJob } from '#flux/calls/job-list-calls.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import {
  EMPTY_IDSET,
  formatIdset,
  hasId,
  highestId,
  type Idset,
  idsBetween,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import type { Client } from '#flux/wire/client.ts'
import type { Facts, Jobs, ListedJobs } from '#reading/facts.ts'

/** More running jobs are not listed: this many are 100 kB. */
const MAX_LISTED = 1_000

/** Where Flux cannot choose jobs by rank: this many are 1 MB, and 30 ms of the broker's time. */
const MAX_SEARCHED = 10_000

/** `offline` has the ranks that are not ours, too. */
type RankFacts = Pick<Facts, 'all' | 'allocated' | 'offline'>

export interface RunningJobs {
  /**
   * Ranks of running jobs. Jobs that bypass the scheduler (alloc-bypass) are not in `allocated`. If there are too many jobs,
   * these are only the ranks that matter for a size: the highest that is allocated, and those above it.
   */
  readonly ranks: Idset
  /** A job on the highest busy rank, if Flux names one. */
  readonly highest: RunningJob | undefined
  /** `undefined` if Flux refuses the list. */
  readonly listed: ListedJobs | undefined
}

const NO_JOBS: ListedJobs = { jobs: [], areAll: true }

/** The highest rank that is online and busy. */
export function highestBusyRank({
  allocated,
  offline,
  running,
}: Pick<Facts, 'allocated' | 'offline' | 'running'>): number | undefined {
  return highestId(subtractIdsets(unionIdsets(ranksOf(allocated), running), offline))
}

/** The jobs that have their ranks: they do not wait for any, whatever a list from a moment before says. */
export function startedJobs({ listed }: Pick<RunningJobs, 'listed'>): ReadonlySet<JobId> {
  const jobs = listed?.jobs ?? []
  return new Set(jobs.filter(({ ranks }) => !isEmpty(ranks)).map(({ id }) => id))
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
    facts: RankFacts,
    { total }: Pick<Jobs, 'total'>,
    limits: Limits,
  ): Promise<RunningJobs> {
    const count = total.run + total.cleanup
    // A job that was pending may run by now, and so may a new one that Flux did not count.
    const active = (total.new ?? 1) + total.depend + total.priority + total.sched + count
    if (active === 0) return { ranks: EMPTY_IDSET, highest: undefined, listed: NO_JOBS }
    const listed = await this.#list(facts, count, limits)
    if (listed === undefined) return { ranks: EMPTY_IDSET, highest: undefined, listed }
    const { jobs } = listed
    const ranks = jobs.map((job) => job.ranks).reduce(unionIdsets, EMPTY_IDSET)
    const busy = highestBusyRank({ ...facts, running: ranks })
    return {
      ranks,
      highest: busy === undefined ? undefined : jobs.find((job) => hasId(job.ranks, busy)),
      listed,
    }
  }

  /** `undefined` if this release of Flux refuses the list, and the allocated ranks are known. Any other error is passed on. */
  async #list(facts: RankFacts, count: number, limits: Limits): Promise<ListedJobs | undefined> {
    const isAnyAllocated = !isEmpty(ranksOf(facts.allocated))
    try {
      if (count < MAX_LISTED || !isAnyAllocated) {
        const jobs = await listRunningJobs(this.#client, { maxEntries: MAX_LISTED }, limits)
        if (jobs.length < MAX_LISTED) return { jobs, areAll: true }
        if (!isAnyAllocated) throw tooMany('no rank is allocated')
      }
      return { jobs: await this.#listHighest(facts, limits), areAll: false }
    } catch (error) {
      if (isAnyAllocated && isRemote(error, ERRNO.EINVAL)) return undefined
      throw error
    }
  }

  /** The jobs on the highest allocated rank, and on those above it, which are few: only alloc-bypass puts jobs there. */
  async #listHighest(facts: RankFacts, limits: Limits): Promise<readonly RunningJob[]> {
    const highest = highestBusyRank({ ...facts, running: EMPTY_IDSET }) ?? 0
    const above = idsBetween(highest + 1, 1 + (highestId(ranksOf(facts.all)) ?? 0))
    const online = subtractIdsets(intersectIdsets(above, ranksOf(facts.all)), facts.offline)
    const wanted = unionIdsets(idsBetween(highest, highest + 1), online)
    const isOn = ({ ranks }: RunningJob) => !isEmpty(intersectIdsets(ranks, wanted))
    const listed = await this.#listOn(formatIdset(wanted), limits)
    if (listed !== undefined && listed.length < MAX_LISTED) return listed
    const where = `rank ${highest} is the highest allocated one`
    if (listed?.every(isOn)) throw tooMany(where)
    // Flux did not choose.
    const all = await listRunningJobs(this.#client, { maxEntries: MAX_SEARCHED }, limits)
    if (all.length >= MAX_SEARCHED) throw tooMany(where, MAX_SEARCHED)
    return all.filter(isOn)
  }

  /** Brokers before 0.53 ignore what ranks are asked for, and those before 0.64 refuse it: `undefined`. */
  async #listOn(ranks: string, limits: Limits): Promise<readonly RunningJob[] | undefined> {
    try {
      return await listRunningJobs(this.#client, { maxEntries: MAX_LISTED, ranks }, limits)
    } catch (error) {
      if (isRemote(error, ERRNO.EPROTO)) return undefined
      throw error
    }
  }
}

function tooMany(where: string, count = MAX_LISTED): FluxError {
  return new FluxError('FLUX_PROTOCOL', `${where}, and more than ${count} jobs run`)
}
