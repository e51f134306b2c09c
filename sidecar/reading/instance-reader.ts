// One Flux instance over one connection: probes once what the broker offers, then reads it, again and again. When to read,
// what to do with an error, and what follows from a reading is the business of others.

import { getAttribute, getBrokerState, type Limits } from '#flux/calls/broker-calls.ts'
import { getJobStats } from '#flux/calls/job-calls.ts'
import type { PendingJob } from '#flux/calls/job-list-calls.ts'
import {
  drainedRanks,
  getResourceStatus,
  getSchedStatus,
  type ResourceStatus,
  SCHED_STATUS_TOPICS,
  type SchedStatus,
  type SchedStatusTopic,
} from '#flux/calls/resource-calls.ts'
import {
  type FluxionMatching,
  getFluxionMatching,
  getFluxionPolicy,
} from '#flux/calls/scheduler-calls.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import {
  countIds,
  type Idset,
  intersectIdsets,
  isEmpty,
  parseIdset,
  subtractIdsets,
} from '#flux/sets/idset.ts'
import { countGpus, ranksOf } from '#flux/sets/resource-set.ts'
import type { Client } from '#flux/wire/client.ts'
import type { Facts, Jobs } from './facts.ts'
import { FailedJobReader } from './failed-jobs.ts'
import { readFluxionSettings } from './fluxion-settings.ts'
import { HighestJobReader, highestBusyRank } from './highest-job.ts'
import { toJobs } from './job-counts.ts'
import { countResources } from './node-counts.ts'
import { PendingJobReader } from './pending-jobs.ts'
import { QueueReader, type QueueReading, toQueueStates } from './queue-reader.ts'
import { isUnknown, type Unknown, unknown } from './unknown.ts'

/** Readings in which parts contradict each other are repeated; this often in a row is no coincidence. */
const MAX_ATTEMPTS = 3

const HIDDEN = unknown(
  'Flux hides jobs from us, a guest (access.private-mode): unset it in the broker configuration, or run the ' +
    'sidecar with the UID of the broker (annotation flux-metrics/run-as-user)',
)

/** Reads a connected Flux instance. */
export class InstanceReader {
  readonly client: Client
  /** Release of flux-core, `0.88.0`, as the broker says it. */
  readonly version: string
  /** How many ranks Flux waits for when it starts; 1 where the broker does not say. */
  readonly quorum: number
  readonly #pending: PendingJobReader
  readonly #failed: FailedJobReader
  readonly #highest: HighestJobReader
  readonly #queues: QueueReader
  #schedStatusTopic: SchedStatusTopic = SCHED_STATUS_TOPICS[0]
  /** Fluxion's settings, once they were asked for: while Flux starts, no scheduler is there yet. */
  #fluxion: FluxionParameters | undefined

  constructor(client: Client, { version, quorum }: { version: string; quorum: number }) {
    this.client = client
    this.version = version
    this.quorum = quorum
    this.#pending = new PendingJobReader(client)
    this.#failed = new FailedJobReader(client)
    this.#highest = new HighestJobReader(client)
    this.#queues = new QueueReader(client)
  }

  /** @throws FluxError if the broker does not answer */
  static async open(client: Client, limits: Limits): Promise<InstanceReader> {
    const version = await getAttribute(client, 'version', limits)
    const quorum = await readQuorum(client, limits)
    return new InstanceReader(client, { version, quorum })
  }

  /**
   * Reads the instance. What waits is asked for first, and what is allocated after that has been answered: a job that
   * starts in between is counted in both, and in neither never. What goes out together is answered by one pass of the
   * broker's loop, and the reading is repeated if it contradicts itself all the same.
   *
   * @throws FluxError if any part fails, or while Flux starts or stops: there is no half reading
   */
  async read(limits: Limits): Promise<Facts> {
    for (let attempt = 1; ; attempt += 1) {
      const takenAt = new Date()
      const startedAt = performance.now()
      const round = await this.#round(takenAt, limits)
      const { sched, status } = round
      const contradiction = contradictionOf(sched, status)
      if (contradiction === undefined) {
        const more = await this.#complete(round, limits)
        const tookMs = performance.now() - startedAt
        const { all, allocated } = sched
        const { quorum } = this
        return {
          ...{ takenAt, tookMs, ...countResources(sched, drainedRanks(status.drains)), ...status },
          ...{ all, allocated, failed: round.failed, quorum, ...more },
        }
      }
      if (attempt === MAX_ATTEMPTS) {
        throw new FluxError('FLUX_PROTOCOL', `Cannot trust Flux's answers: ${contradiction}`)
      }
    }
  }

  async #round(takenAt: Date, limits: Limits): Promise<Round> {
    const waits = await Promise.allSettled([
      getJobStats(this.client, limits).then(toJobs),
      this.#pending.read(limits),
    ])
    const [jobs, pending] = waits
    // Where Flux hides jobs, what failed and the queues need not be asked for.
    const counts = jobs.status === 'fulfilled' ? jobs.value : undefined
    const [state, sched, status, failed, queues] = await Promise.allSettled([
      getBrokerState(this.client, limits),
      this.#schedStatus(limits),
      getResourceStatus(this.client, limits),
      counts === undefined ? HIDDEN : this.#failed.read(counts.total.failed, takenAt, limits),
      counts && this.#queues.read(counts, limits),
    ])
    // Outside of `run` the other calls fail in many ways, and this is why.
    const phase = fulfilled(state)
    if (phase !== 'run') throw notRunning(phase)
    return {
      jobs: knownUnlessHidden(jobs),
      pending: knownUnlessHidden(pending),
      sched: fulfilled(sched),
      status: fulfilled(status),
      failed: knownUnlessHidden(failed),
      queues: fulfilled(queues),
    }
  }

  /** What can be asked only when the rest is known. */
  async #complete(
    { jobs, pending, sched, status, queues }: Round,
    limits: Limits,
  ): Promise<Pick<Facts, 'jobs' | 'waiting' | 'queues' | 'highestJob' | 'fluxion'>> {
    if (isUnknown(pending) || isUnknown(jobs) || queues === undefined) {
      const nothing = { queues: new Map(), highestJob: undefined, fluxion: undefined }
      return { jobs, waiting: HIDDEN, ...nothing }
    }
    this.#fluxion ??= await readFluxion(this.client, limits)
    const { policy, matching } = this.#fluxion
    const { depend, priority, sched: waits } = jobs.total
    const facts = { counted: depend + priority + waits, hasGpus: countGpus(sched.all) > 0 }
    const busy = highestBusyRank({ allocated: sched.allocated, offline: status.offline })
    return {
      jobs,
      waiting: await this.#pending.complete(pending, facts, limits),
      queues: toQueueStates(queues, sched.properties),
      highestJob: await this.#highest.read(busy, jobs, limits),
      fluxion:
        policy === undefined ? undefined : readFluxionSettings(policy, queues.config, matching),
    }
  }

  async #schedStatus(limits: Limits): Promise<SchedStatus> {
    try {
      return await getSchedStatus(this.client, this.#schedStatusTopic, limits)
    } catch (error) {
      const [core, scheduler] = SCHED_STATUS_TOPICS
      if (this.#schedStatusTopic !== core || !isRemote(error, ERRNO.ENOSYS)) throw error
      const status = await getSchedStatus(this.client, scheduler, limits)
      this.#schedStatusTopic = scheduler
      return status
    }
  }
}

/** What Fluxion tells of itself. */
interface FluxionParameters {
  /** Of the queue; `undefined` where the scheduler is another one. */
  readonly policy: string | undefined
  /** `undefined` where we are not told. */
  readonly matching: FluxionMatching | undefined
}

async function readFluxion(client: Client, limits: Limits): Promise<FluxionParameters> {
  const policy = await getFluxionPolicy(client, limits)
  const matching = policy === undefined ? undefined : await getFluxionMatching(client, limits)
  return { policy, matching }
}

/** The answers of one round. */
interface Round {
  readonly jobs: Jobs | Unknown
  readonly pending: readonly PendingJob[] | Unknown
  readonly sched: SchedStatus
  readonly status: ResourceStatus
  readonly failed: Facts['failed']
  readonly queues: QueueReading | undefined
}

/** Brokers say it as a count, those before 0.44 as the ranks themselves. */
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

/** What Flux refuses to tell a guest is no failure. */
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

/** Offline and drained ranks are down in the scheduler's eyes; where they are not, something changed in between. */
function contradictionOf(sched: SchedStatus, status: ResourceStatus): string | undefined {
  const down = ranksOf(sched.down)
  const all = ranksOf(sched.all)
  const up = (ranks: Idset) => subtractIdsets(intersectIdsets(ranks, all), down)
  if (!isEmpty(up(status.offline))) return 'ranks are both offline and up'
  if (!isEmpty(up(drainedRanks(status.drains)))) return 'ranks are both drained and up'
  if (!isEmpty(subtractIdsets(down, all))) return 'ranks are down that are not in R'
  return undefined
}
