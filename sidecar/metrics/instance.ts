// One Flux instance over one connection: probes once what the broker offers, then reads snapshots.
// When to read, and what to do with an error, is the collector's business.
import {
  getAttribute,
  getBrokerState,
  getJobStats,
  getResourceStatus,
  getSchedStatus,
  type Limits,
  type ResourceStatus,
  SCHED_STATUS_TOPICS,
  type SchedStatus,
  type SchedStatusTopic,
} from '#flux/calls.ts'
import type { Client } from '#flux/client.ts'
import { ERRNO, FluxError, isRemote } from '#flux/errors.ts'
import { countIds, type Idset, intersectIdsets, isEmpty, subtractIdsets } from '#flux/idset.ts'
import {
  countCores,
  countGpus,
  countNodes,
  type ResourceSet,
  ranksOf,
  subtractResourceSets,
} from '#flux/resource-set.ts'
import { toJobs } from './jobs.ts'
import type { Jobs, NodeCounts, ResourceCounts, Snapshot, Withheld } from './snapshot.ts'

/** Readings in which parts contradict each other are repeated; this often in a row is no coincidence. */
const MAX_ATTEMPTS = 3

const PRIVATE_MODE =
  'Flux hides job counts from us, a guest (access.private-mode): unset it in the broker configuration, or run the ' +
  'sidecar with the UID of the broker (annotation flux-metrics/run-as-user)'

/** A connected Flux instance. */
export class Instance {
  readonly client: Client
  /** Release of flux-core, `0.88.0`, as the broker says it. */
  readonly version: string
  #schedStatusTopic: SchedStatusTopic = SCHED_STATUS_TOPICS[0]

  constructor(client: Client, version: string) {
    this.client = client
    this.version = version
  }

  /** @throws FluxError if the broker does not answer */
  static async open(client: Client, limits: Limits): Promise<Instance> {
    return new Instance(client, await getAttribute(client, 'version', limits))
  }

  /**
   * Reads the instance. The calls of a reading go out together, so that one pass of the broker's loop answers them,
   * and are repeated if they contradict each other all the same.
   *
   * @throws FluxError if any part fails, or while Flux starts or stops: there is no half snapshot
   */
  async read(limits: Limits): Promise<Snapshot> {
    for (let attempt = 1; ; attempt += 1) {
      const takenAt = new Date()
      const startedAt = performance.now()
      const { sched, status, jobs } = await this.#round(limits)
      const contradiction = contradictionOf(sched, status)
      if (contradiction === undefined) {
        const tookMs = performance.now() - startedAt
        return Object.freeze({ takenAt, tookMs, ...summarize(sched, status), jobs })
      }
      if (attempt === MAX_ATTEMPTS) {
        throw new FluxError('FLUX_PROTOCOL', `Cannot trust Flux's answers: ${contradiction}`)
      }
    }
  }

  async #round(limits: Limits) {
    const [state, sched, status, jobs] = await Promise.allSettled([
      getBrokerState(this.client, limits),
      this.#schedStatus(limits),
      getResourceStatus(this.client, limits),
      this.#jobs(limits),
    ])
    // Outside of `run` the other calls fail in many ways, and this is why.
    const phase = fulfilled(state)
    if (phase !== 'run') throw notRunning(phase)
    return { sched: fulfilled(sched), status: fulfilled(status), jobs: fulfilled(jobs) }
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

  async #jobs(limits: Limits): Promise<Jobs | Withheld> {
    try {
      return toJobs(await getJobStats(this.client, limits))
    } catch (error) {
      if (isRemote(error, ERRNO.EPERM)) return { kind: 'withheld', reason: PRIVATE_MODE }
      throw error
    }
  }
}

function fulfilled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason
  return result.value
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
  if (!isEmpty(up(status.drained))) return 'ranks are both drained and up'
  if (!isEmpty(subtractIdsets(down, all))) return 'ranks are down that are not in R'
  return undefined
}

function summarize(
  { all, allocated, down }: SchedStatus,
  { drained }: ResourceStatus,
): { nodes: NodeCounts; cores: ResourceCounts; gpus: ResourceCounts } {
  const up = subtractResourceSets(all, down)
  const free = subtractResourceSets(up, allocated)
  const idle = subtractIdsets(ranksOf(up), ranksOf(allocated))
  const sets = { total: all, up, allocated, free }
  return {
    nodes: {
      ...countEach(sets, countNodes),
      down: countNodes(down),
      idle: countIds(idle),
      drained: countIds(intersectIdsets(drained, ranksOf(all))),
    },
    cores: countEach(sets, countCores),
    gpus: countEach(sets, countGpus),
  }
}

function countEach(
  sets: Readonly<Record<keyof ResourceCounts, ResourceSet>>,
  count: (set: ResourceSet) => number,
): ResourceCounts {
  return {
    total: count(sets.total),
    up: count(sets.up),
    allocated: count(sets.allocated),
    free: count(sets.free),
  }
}
