// The pending jobs, over one connection, with what their jobspecs say, which are read as the broker's owner: the list alone
// (pending-list.ts) does not say everything that a job needs. Both are bounded.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { getRequest } from '#flux/calls/job-calls.ts'
import type { JobId, PendingJob } from '#flux/calls/job-list-calls.ts'
import { isSince } from '#flux/calls/release.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import { mapInTurns } from '#flux/turns.ts'
import type { Client } from '#flux/wire/client.ts'
import { canStart, type Waiting, type WaitingJob } from '#reading/facts.ts'
import { isUnknown, unknown } from '#reading/unknown.ts'
import { AcceptedRanks, type RankAttributes } from './constrained-ranks.ts'
import { MAX_WAITING, PendingList } from './pending-list.ts'
import type { WaitingQueues } from './queue-reader.ts'
import { ReadBudget, type ReadRequest, RequestCache } from './request-cache.ts'

/** At most this many jobspecs are read for one reading; 1,000 pipelined requests take a broker 55 ms. */
const MAX_JOBSPECS = 2000

/** At most this many at once: all of them may have 1 MiB, and have to fit into the sidecar's memory. */
const MAX_AT_ONCE = 4

/** After this time the others are left for the next reading: large jobspecs must not make a reading too old to be served. */
const MAX_READ_MS = 1_000

const NO_QUEUES: WaitingQueues = {
  stopped: new Set(),
  started: new Set(),
  areAllStopped: false,
}

const GUEST = unknown(
  'Flux does not show guests how many GPUs a job asks for: run the sidecar with the UID of the broker (annotation ' +
    'flux-metrics/run-as-user), or submit jobs with a number of nodes',
)

const NOT_YET = unknown(
  'the jobspecs of some pending jobs are still being read: only a jobspec says all that its job asks for',
)

const LATER = unknown(
  'the requests of the pending jobs are large: some are read at the next readings',
)

const NO_JOBSPEC = unknown('Flux lists a pending job of which it has no jobspec')

const NO_SUCH_JOB = unknown('Flux lists a pending job, and says that there is no such job')

const TOO_LONG = unknown('the jobspec of a pending job has more than 1 MiB')

/** What the needs of jobs depend on besides the jobs. */
export interface PendingContext {
  /** The number of pending jobs in job-stats. */
  readonly counted: number
  /** Jobs that have started since they were listed. Default: none. */
  readonly started?: ReadonlySet<JobId>
  /** Which of their queues are stopped. Default: none. */
  readonly queues?: WaitingQueues
  /** Whether R has GPUs: only then a job can ask for some. */
  readonly hasGpus: boolean
  /** Whether Fluxion reads the jobspecs. Default: a scheduler of flux-core does. */
  readonly isFluxion?: boolean
  readonly attributes: RankAttributes
}

export class PendingJobReader {
  readonly #client: Client
  readonly #version: string | undefined
  readonly #now: () => number
  readonly #list: PendingList
  readonly #requests = new RequestCache()
  readonly #accepted = new AcceptedRanks()
  /** Whether the broker refused a jobspec: then it would refuse every one. */
  #isGuest = false
  /** Listed jobs that had ended when they were asked for, at the last reading. */
  #ended: ReadonlySet<JobId> = new Set()
  /** Jobs whose requests were larger than what one reading may add. */
  #deferred: ReadonlySet<JobId> = new Set()

  /**
   * @param version of flux-core. Default: the newest
   * @param now a clock in milliseconds
   */
  constructor(
    client: Client,
    { version, now = () => performance.now() }: { version?: string; now?: () => number } = {},
  ) {
    this.#client = client
    this.#list = new PendingList(client)
    this.#version = version
    this.#now = now
  }

  /** @throws FluxError EPERM if Flux hides jobs from the sidecar */
  read(limits: Limits): Promise<readonly PendingJob[]> {
    return this.#list.read(limits)
  }

  /**
   * Adds what jobspecs say, and leaves out the jobs that have started or ended meanwhile.
   *
   * @returns unknown while jobspecs of jobs that could start are still to be read: what they need is not guessed
   */
  async complete(
    pending: readonly PendingJob[],
    {
      counted,
      started,
      queues = NO_QUEUES,
      hasGpus,
      isFluxion = false,
      attributes,
    }: PendingContext,
    limits: Limits,
  ): Promise<Waiting> {
    const { leftOut } = this.#list
    this.#list.leaveOut(counted > MAX_WAITING ? [...queues.stopped] : [])
    const isWaiting = ({ id }: PendingJob) => started?.has(id) !== true
    const cut = pending.slice(0, MAX_WAITING).filter(isWaiting)
    // Metrics of users may ask for the GPUs of every pending job. Otherwise only jobs that could start matter.
    await this.#readRequests(hasGpus ? cut : cut.filter(canStart), limits)
    const listed = cut.filter(({ id }) => !this.#ended.has(id))
    const missing = listed.filter((job) => this.#readRequestOf(job) === undefined)
    if (!this.#isGuest && missing.some(canStart)) return NOT_YET
    const isSimple = !isFluxion && (this.#version === undefined || isSince(this.#version, [0, 84]))
    this.#accepted.restart(attributes, { isSimple })
    const jobs = await mapInTurns(listed, ({ oddity, ...job }) => ({
      ...job,
      request: this.#requestOf(job, isFluxion) ?? (oddity ? unknown(oddity) : undefined),
    }))
    const next = pending[MAX_WAITING]
    return {
      kind: 'known',
      jobs,
      // Jobs start and end between the two answers, so a complete list is more exact than job-stats.
      total:
        next === undefined && leftOut.length === 0
          ? listed.length
          : Math.max(pending.length, counted),
      // A queue that was left out may have been started since.
      lacksStartable:
        (next !== undefined && mayPrecede(next) && !queues.areAllStopped) ||
        leftOut.some((name) => queues.started.has(name)),
      unknownRequests:
        hasGpus && missing.length > 0 ? (this.#isGuest ? GUEST : NOT_YET) : undefined,
    }
  }

  #requestOf(job: PendingJob, isFluxion: boolean): WaitingJob['request'] {
    const request = this.#readRequestOf(job)
    if (request === undefined || isUnknown(request)) return request
    const { constraint } = request
    const ways = isFluxion ? request.ways : (request.simpleWays ?? request.ways)
    if (constraint === undefined) return { ways, ranks: undefined }
    try {
      const ranks = this.#accepted.find(constraint)
      if (isUnknown(ranks)) return ranks
      return { ways, ranks, ...this.#accepted.lackIn(constraint, ranks) }
    } catch (error) {
      if (error instanceof FluxError) return unknown(error.message)
      throw error
    }
  }

  #readRequestOf(job: PendingJob): ReadRequest | undefined {
    return this.#requests.find(job) ?? (this.#deferred.has(job.id) ? LATER : undefined)
  }

  async #readRequests(jobs: readonly PendingJob[], limits: Limits): Promise<void> {
    const round: Round = {
      read: new Map(),
      ended: new Set(),
      deferred: new Set(),
      budget: new ReadBudget(),
    }
    const isUnread = (job: PendingJob) => this.#requests.find(job) === undefined
    const unread = this.#isGuest ? [] : jobs.filter(isUnread)
    const missing = unread.slice(0, MAX_JOBSPECS)
    // One jobspec first: a guest is refused, and then the others need not be asked for.
    let from = 0
    const endsAt = this.#now() + MAX_READ_MS
    for (let count = 1; from < missing.length && !this.#isGuest; count = MAX_AT_ONCE) {
      if (round.deferred.size > 0 || this.#now() > endsAt) break
      const some = missing.slice(from, from + count)
      await Promise.all(some.map(({ id }) => this.#readRequest(id, round, limits)))
      from += count
    }
    // What is left when the budget is used up would be read in vain.
    if (round.deferred.size > 0) for (const { id } of missing.slice(from)) round.deferred.add(id)
    await this.#requests.replace(jobs, round.read)
    // Now there may be room for requests that were too large.
    const before = new Set(unread.map(({ id }) => id))
    const fitsNow = (job: PendingJob) => !before.has(job.id) && isUnread(job)
    if (!this.#isGuest) for (const { id } of jobs.filter(fitsNow)) round.deferred.add(id)
    this.#ended = round.ended
    this.#deferred = round.deferred
  }

  async #readRequest(
    id: JobId,
    { read, ended, deferred, budget }: Round,
    limits: Limits,
  ): Promise<void> {
    try {
      const request = await getRequest(this.#client, id, limits, this.#version)
      if (budget.take(request)) read.set(id, request)
      else deferred.add(id)
    } catch (error) {
      if (isRemote(error, ERRNO.EPERM)) this.#isGuest = true
      else if (isRemote(error, ERRNO.EMSGSIZE)) read.set(id, TOO_LONG)
      else if (isRemote(error, ERRNO.ENOENT)) read.set(id, NO_JOBSPEC)
      else if (isRemote(error, ERRNO.EINVAL)) {
        // The next list does not have a job that has ended. Otherwise nothing is known of it.
        if (this.#ended.has(id)) read.set(id, NO_SUCH_JOB)
        else ended.add(id)
      } else if (error instanceof FluxError && error.code === 'FLUX_PROTOCOL') {
        read.set(id, unknown(error.message))
      } else throw error
    }
  }
}

/** The jobspecs of one reading. */
interface Round {
  readonly read: Map<JobId, ReadRequest>
  readonly ended: Set<JobId>
  readonly deferred: Set<JobId>
  readonly budget: ReadBudget
}

/** Whether the job, or one that follows it in the list, could start. Flux lists held jobs, and those without a priority, last. */
function mayPrecede(job: PendingJob): boolean {
  return canStart(job) || (job.priority ?? 0) > 0
}
