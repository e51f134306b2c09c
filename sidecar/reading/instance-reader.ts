// Reads one Flux instance over one connection, and remembers what this broker supports. collecting/ decides when to read and
// what to do after an error; scaling/ decides what follows from a reading.

import { getAttribute, getBrokerState, type Limits } from '#flux/calls/broker-calls.ts'
import { getJobStats } from '#flux/calls/job-calls.ts'
import type { PendingJob } from '#flux/calls/job-list-calls.ts'
import { isSince } from '#flux/calls/release.ts'
import {
  drainedRanks,
  getResourceStatus,
  getSchedStatus,
  type ResourceStatus,
  SCHED_STATUS_TOPICS,
  type SchedStatus,
  type SchedStatusTopic,
} from '#flux/calls/resource-calls.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import { countIds, EMPTY_IDSET, parseIdset } from '#flux/sets/idset.ts'
import { countGpus } from '#flux/sets/resource-set.ts'
import type { Client } from '#flux/wire/client.ts'
import { rankAttributes } from './constrained-ranks.ts'
import { contradictionOf } from './contradiction.ts'
import type { Facts, Jobs } from './facts.ts'
import { FailedJobReader } from './failed-jobs.ts'
import {
  type FluxionParameters,
  readFluxionParameters,
  toFluxionSettings,
} from './fluxion-settings.ts'
import { toJobs } from './job-counts.ts'
import { countResources } from './node-counts.ts'
import { PendingJobReader } from './pending-jobs.ts'
import { QueueReader, type QueueReading, toQueueStates } from './queue-reader.ts'
import { RunningJobReader } from './running-jobs.ts'
import { type SchedulerView, SchedulerViews } from './scheduler-view.ts'
import { isUnknown, type Unknown, unknown } from './unknown.ts'

/** A reading that contradicts itself is repeated. After this many in a row, a change in between is not the cause. */
const MAX_ATTEMPTS = 3

/** The release that has `resource.sched-status` first. */
const CORE_STATUS_SINCE = [0, 61] as const

const HIDDEN = unknown(
  'Flux hides jobs from the sidecar, which is a guest (access.private-mode): unset this setting in the broker ' +
    'configuration, or run the sidecar with the UID of the broker (annotation flux-metrics/run-as-user)',
)

export class InstanceReader {
  readonly client: Client
  /** The release of flux-core that the broker reports, e.g. `0.88.0`. */
  readonly version: string
  /** How many ranks Flux waits for when it starts; 1 if the broker does not report it. */
  readonly quorum: number
  readonly #pending: PendingJobReader
  readonly #failed: FailedJobReader
  readonly #running: RunningJobReader
  readonly #queues: QueueReader
  readonly #views = new SchedulerViews()
  /** Whether this release has no `resource.sched-status`. */
  #lacksCoreStatus = false
  /** Asked for once, at the first complete reading: while Flux starts, the scheduler is not loaded yet. */
  #fluxion: FluxionParameters | undefined

  constructor(client: Client, { version, quorum }: { version: string; quorum: number }) {
    this.client = client
    this.version = version
    this.quorum = quorum
    this.#pending = new PendingJobReader(client)
    this.#failed = new FailedJobReader(client)
    this.#running = new RunningJobReader(client)
    this.#queues = new QueueReader(client)
  }

  /** @throws FluxError if the broker does not answer */
  static async open(client: Client, limits: Limits): Promise<InstanceReader> {
    const version = await getAttribute(client, 'version', limits)
    const quorum = await readQuorum(client, limits)
    return new InstanceReader(client, { version, quorum })
  }

  /**
   * Reads the instance. Pending jobs are asked for first, and allocated resources only after that answer: a job that starts
   * in between is counted in both, never in neither. Requests that are sent together are answered in one pass of the broker's
   * loop. If the reading contradicts itself nevertheless, it is repeated.
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
    const { jobs, view, status, failed } = round
    const { sched, closed, untracked } = view
    const details = await this.#readDetails(round, limits)
    const tookMs = performance.now() - startedAt
    const counts = countResources(sched, drainedRanks(status.drains))
    return {
      takenAt,
      tookMs,
      nodes: counts.nodes,
      cores: counts.cores,
      gpus: counts.gpus,
      jobs,
      all: sched.all,
      allocated: sched.allocated,
      running: details.running,
      offline: status.offline,
      torpid: status.torpid,
      closed,
      untracked,
      drains: status.drains,
      waiting: details.waiting,
      queues: details.queues,
      failed,
      highestJob: details.highestJob,
      fluxion: details.fluxion,
      quorum: this.quorum,
    }
  }

  async #readRound(takenAt: Date, limits: Limits): Promise<Round> {
    const [jobs, pending] = await Promise.allSettled([
      getJobStats(this.client, limits).then(toJobs),
      this.#pending.read(limits),
    ])
    // If Flux hides jobs, failed jobs and queues need not be asked for.
    const counts = jobs.status === 'fulfilled' ? jobs.value : undefined
    const [state, sched, status, failed, queues] = await Promise.allSettled([
      getBrokerState(this.client, limits),
      this.#readSchedStatus(limits),
      getResourceStatus(this.client, limits),
      counts === undefined ? HIDDEN : this.#failed.read(counts.total.failed, takenAt, limits),
      counts && this.#queues.read(counts, limits),
    ])
    // In a state other than `run` the other calls fail in many ways. This error names the cause.
    const brokerState = fulfilled(state)
    if (brokerState !== 'run') throw notRunning(brokerState)
    const known = { sched: fulfilled(sched), status: fulfilled(status) }
    return {
      jobs: knownUnlessHidden(jobs),
      pending: knownUnlessHidden(pending),
      view: this.#viewOf(known.sched, known.status),
      status: known.status,
      failed: knownUnlessHidden(failed),
      queues: fulfilled(queues),
    }
  }

  /** Reads the parts that depend on the answers of the round. */
  async #readDetails(
    { jobs, pending, view, status, queues }: Round,
    limits: Limits,
  ): Promise<Pick<Facts, 'waiting' | 'queues' | 'running' | 'highestJob' | 'fluxion'>> {
    if (isUnknown(pending) || isUnknown(jobs) || queues === undefined) {
      return {
        waiting: HIDDEN,
        queues: new Map(),
        running: EMPTY_IDSET,
        highestJob: undefined,
        fluxion: undefined,
      }
    }
    this.#fluxion ??= await readFluxionParameters(this.client, limits)
    const { sched } = view
    const { total } = jobs
    const counted = total.depend + total.priority + total.sched
    const hasGpus = countGpus(sched.all) > 0
    const attributes = rankAttributes(sched)
    const { allocated } = sched
    const { offline } = status
    const running = await this.#running.read({ allocated, offline }, jobs, limits)
    return {
      waiting: await this.#pending.complete(pending, { counted, hasGpus, attributes }, limits),
      queues: toQueueStates(queues, sched.properties),
      running: running.ranks,
      highestJob: running.highest,
      fluxion: toFluxionSettings(this.#fluxion, queues.config),
    }
  }

  async #readSchedStatus(limits: Limits): Promise<SourcedStatus> {
    const [core, scheduler] = SCHED_STATUS_TOPICS
    if (!this.#lacksCoreStatus) {
      try {
        return { topic: core, status: await getSchedStatus(this.client, core, limits) }
      } catch (error) {
        if (!isRemote(error, ERRNO.ENOSYS)) throw error
      }
    }
    const status = await getSchedStatus(this.client, scheduler, limits)
    // A later release has the method: its module is being reloaded.
    this.#lacksCoreStatus = !isSince(this.version, CORE_STATUS_SINCE)
    return { topic: scheduler, status }
  }

  #viewOf({ topic, status: sched }: SourcedStatus, status: ResourceStatus): SchedulerView {
    const isOfCore = topic === SCHED_STATUS_TOPICS[0]
    return isOfCore ? SchedulerViews.ofCore(sched) : this.#views.ofScheduler(sched, status)
  }
}

/** A status, and the method that answered it. */
interface SourcedStatus {
  readonly topic: SchedStatusTopic
  readonly status: SchedStatus
}

/** The answers of one round. */
interface Round {
  readonly jobs: Jobs | Unknown
  readonly pending: readonly PendingJob[] | Unknown
  readonly view: SchedulerView
  readonly status: ResourceStatus
  readonly failed: Facts['failed']
  readonly queues: QueueReading | undefined
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

function fulfilled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason
  return result.value
}

/** A refusal because we are a guest is not an error: the value is unknown. */
function knownUnlessHidden<T>(result: PromiseSettledResult<T>): T | Unknown {
  return isHidden(result) ? HIDDEN : fulfilled(result)
}

function isHidden(result: PromiseSettledResult<unknown>): boolean {
  return result.status === 'rejected' && isRemote(result.reason, ERRNO.EPERM)
}

function notRunning(state: string): FluxError {
  const message = `Flux is starting or stopping: its state is "${state}", not "run"`
  return new FluxError('FLUX_REMOTE', message, { topic: 'state-machine.get', errnum: ERRNO.EAGAIN })
}
