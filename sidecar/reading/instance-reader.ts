// Reads one Flux instance over one connection, and remembers what this broker supports. collecting/ decides when to read and
// what to do after an error; scaling/ decides what follows from a reading.

import { getAttribute, getBrokerState, type Limits } from '#flux/calls/broker-calls.ts'
import { getJobStats } from '#flux/calls/job-calls.ts'
import type { PendingJob } from '#flux/calls/job-list-calls.ts'
import { drainedRanks, getResourceStatus, type ResourceStatus } from '#flux/calls/resource-calls.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import { countIds, EMPTY_IDSET, type Idset, parseIdset, unionIdsets } from '#flux/sets/idset.ts'
import { countGpus } from '#flux/sets/resource-set.ts'
import type { Client } from '#flux/wire/client.ts'
import type { Facts, Jobs } from './facts.ts'
import { rankAttributes } from './jobs/constrained-ranks.ts'
import { FailedJobReader } from './jobs/failed-jobs.ts'
import { toJobs, withQueues } from './jobs/job-counts.ts'
import { PendingJobReader } from './jobs/pending-jobs.ts'
import { QueueReader, type QueueReading, toQueueStates } from './jobs/queue-reader.ts'
import { RefusedRequestReader } from './jobs/refused-requests.ts'
import { RunningJobReader, startedJobs } from './jobs/running-jobs.ts'
import { fulfilled, HIDDEN, knownUnlessHidden, knownUnlessOdd, unlessOdd } from './known-parts.ts'
import { contradictionOf } from './ranks/contradiction.ts'
import { FluxionReader } from './ranks/fluxion-settings.ts'
import { countResources } from './ranks/node-counts.ts'
import { burstedIn, PodRankCheck } from './ranks/pod-ranks.ts'
import { SchedulerReader, type SchedulerView } from './ranks/scheduler-view.ts'
import { isUnknown, type Unknown } from './unknown.ts'

/** A reading that contradicts itself is repeated. After this many in a row, a change in between is not the cause. */
const MAX_ATTEMPTS = 3

export class InstanceReader {
  readonly client: Client
  /** The release of flux-core that the broker reports, e.g. `0.88.0`. */
  readonly version: string
  /** How many ranks Flux waits for when it starts; 1 if the broker does not report it. */
  readonly quorum: number
  readonly #pending: PendingJobReader
  readonly #failed: FailedJobReader
  readonly #refused: RefusedRequestReader
  readonly #running: RunningJobReader
  readonly #queues: QueueReader
  readonly #pods: PodRankCheck
  readonly #scheduler: SchedulerReader
  readonly #fluxion: FluxionReader

  constructor(client: Client, version: string, quorum: number, minicluster: string | undefined) {
    this.client = client
    this.version = version
    this.quorum = quorum
    this.#pending = new PendingJobReader(client, { version })
    this.#failed = new FailedJobReader(client)
    this.#refused = new RefusedRequestReader(client)
    this.#running = new RunningJobReader(client)
    this.#pods = new PodRankCheck(minicluster)
    this.#queues = new QueueReader(client, version)
    this.#fluxion = new FluxionReader(client)
    this.#scheduler = new SchedulerReader(client, version)
  }

  /**
   * @param minicluster the name of the MiniCluster whose pods run the ranks. Default: that is not checked
   * @throws FluxError if the broker does not answer
   */
  static async open(client: Client, limits: Limits, minicluster?: string): Promise<InstanceReader> {
    const version = await getAttribute(client, 'version', limits)
    const quorum = await readQuorum(client, limits)
    return new InstanceReader(client, version, quorum, minicluster)
  }

  /**
   * Reads the instance. Pending jobs are asked for first, and counts and allocated resources only after that answer: a job that
   * starts in between is in both, never in neither. If the list of running jobs shows it, it counts as one of them alone. Requests
   * that are sent together are answered in one pass of the broker's loop. If the reading contradicts itself nevertheless, it is
   * repeated.
   *
   * @throws FluxError if any part fails, and while Flux starts or stops: a reading is complete or there is none
   */
  async read(limits: Limits): Promise<Facts> {
    for (let attempt = 1; ; attempt += 1) {
      const takenAt = new Date()
      const startedAt = performance.now()
      const round = await this.#readRound(takenAt, limits)
      const contradiction = contradictionOf(round.view.sched, round.status)
      if (contradiction === undefined) {
        return this.#assemble(round, { takenAt, startedAt }, limits)
      }
      if (attempt === MAX_ATTEMPTS) {
        throw new FluxError('FLUX_PROTOCOL', `Cannot trust Flux's answers: ${contradiction}`)
      }
    }
  }

  async #assemble(
    round: Round,
    { takenAt, startedAt }: { readonly takenAt: Date; readonly startedAt: number },
    limits: Limits,
  ): Promise<Facts> {
    const { jobs, view, status } = round
    const { sched, ...differences } = view
    const pods = this.#pods.of(sched)
    const bursted = burstedIn(pods)
    const counts = countResources(sched, drainedRanks(status.drains), bursted)
    const details = await this.#readDetails({ ...round, bursted }, counts.nodes.up, limits)
    const tookMs = performance.now() - startedAt
    return {
      takenAt,
      tookMs,
      ...counts,
      jobs,
      all: sched.all,
      pods,
      allocated: sched.allocated,
      offline: status.offline,
      torpid: status.torpid,
      ...differences,
      drains: status.drains,
      ...details,
      quorum: this.quorum,
    }
  }

  async #readRound(takenAt: Date, limits: Limits): Promise<Round> {
    // After a start job-list answers no list until it knows all jobs, but counts those that it knows.
    const [pending] = await Promise.allSettled([this.#pending.read(limits)])
    const [jobs] = await Promise.allSettled([getJobStats(this.client, limits).then(toJobs)])
    // If Flux hides jobs, failed jobs and queues need not be asked for.
    const counts = jobs.status === 'fulfilled' ? jobs.value : undefined
    const [state, sched, status, failed, queues] = await Promise.allSettled([
      getBrokerState(this.client, limits),
      this.#scheduler.read(limits),
      getResourceStatus(this.client, limits),
      counts === undefined ? HIDDEN : this.#failed.read(counts, takenAt, limits),
      counts && this.#queues.read(counts, limits),
    ])
    // In a state other than `run` the other calls fail in many ways. This error names the cause.
    const brokerState = fulfilled(state)
    if (brokerState !== 'run') throw notRunning(brokerState)
    const known = { sched: fulfilled(sched), status: fulfilled(status) }
    return {
      jobs: counts === undefined ? knownUnlessOdd(jobs) : withQueuesOf(counts, queues),
      pending: knownUnlessOdd(pending),
      view: this.#scheduler.compare(known.sched, known.status),
      status: known.status,
      failed: knownUnlessHidden(failed),
      queues: knownUnlessOdd(queues),
    }
  }

  /** Reads the parts that depend on the answers of the round. @param up the number of nodes that are up */
  async #readDetails(
    { jobs, pending, view, status, queues, failed, bursted }: Round & { readonly bursted: Idset },
    up: number,
    limits: Limits,
  ): Promise<Details> {
    if (isUnknown(jobs)) return withoutJobs(jobs)
    if (isUnknown(pending)) return withoutJobs(pending)
    if (queues === undefined || isUnknown(queues)) return withoutJobs(queues ?? HIDDEN)
    const fluxion = await this.#fluxion.read(queues.config, limits)
    const { sched } = view
    const { total } = jobs
    const counted = total.depend + total.priority + total.sched
    const hasGpus = countGpus(sched.all) > 0
    const attributes = rankAttributes(sched)
    const { all, allocated } = sched
    // The job to name is on the highest busy rank of ours.
    const offline = unionIdsets(status.offline, bursted)
    const running = await unlessOdd(this.#running.read({ all, allocated, offline }, jobs, limits))
    if (isUnknown(running)) return withoutJobs(running)
    // A job that started since the pending ones were listed would count twice, with ranks that nobody needs.
    const started = startedJobs(running)
    const context = {
      ...{ counted, started, queues: queues.waiting, hasGpus, attributes },
      isFluxion: fluxion !== undefined,
    }
    return {
      waiting: await this.#pending.complete(pending, context, limits),
      queues: toQueueStates(queues, sched.properties),
      running: running.ranks,
      runningJobs: running.listed,
      highestJob: running.highest,
      fluxion,
      failed: isUnknown(failed)
        ? failed
        : await this.#refused.complete(failed, { attributes, up }, limits),
    }
  }
}

/** The answers of one round. */
interface Round {
  readonly jobs: Jobs | Unknown
  readonly pending: readonly PendingJob[] | Unknown
  readonly view: SchedulerView
  readonly status: ResourceStatus
  readonly failed: Facts['failed']
  readonly queues: QueueReading | Unknown | undefined
}

/** The parts of a reading that depend on jobs. */
type Details = Pick<
  Facts,
  'waiting' | 'queues' | 'running' | 'runningJobs' | 'highestJob' | 'fluxion' | 'failed'
>

/** What is left if the jobs are not known: no size, but the counts of nodes. */
function withoutJobs(reason: Unknown): Details {
  const none = { highestJob: undefined, fluxion: undefined }
  return { waiting: reason, failed: reason, queues: new Map(), running: EMPTY_IDSET, ...none }
}

function withQueuesOf(jobs: Jobs, queues: PromiseSettledResult<QueueReading | undefined>): Jobs {
  const reading = queues.status === 'fulfilled' ? queues.value : undefined
  return reading === undefined ? jobs : withQueues(jobs, reading.named)
}

/** Brokers report a count; those before 0.44 report the ranks themselves. */
async function readQuorum(client: Client, limits: Limits): Promise<number> {
  try {
    const quorum = await getAttribute(client, 'broker.quorum', limits)
    return /^\d+$/.test(quorum) ? Number(quorum) : countIds(parseIdset(quorum))
  } catch (error) {
    if (isRemote(error, ERRNO.ENOENT)) return 1
    throw error
  }
}

function notRunning(state: string): FluxError {
  const message = `Flux is starting or stopping: its state is "${state}", not "run"`
  return new FluxError('FLUX_REMOTE', message, { topic: 'state-machine.get', errnum: ERRNO.EAGAIN })
}
