// Reads the resources of the scheduler over one connection. Since 0.61 the resource module answers for it. Before, the
// scheduler itself answers (sched.resource-status), and is compared with the resource module: it may have lost track of a
// rank, or may not use one.
import type { Limits } from '#flux/calls/broker-calls.ts'
import { isSince } from '#flux/calls/release.ts'
import {
  drainedRanks,
  getSchedStatus,
  type ResourceStatus,
  SCHED_STATUS_TOPICS,
  type SchedStatus,
  type SchedStatusTopic,
} from '#flux/calls/resource-calls.ts'
import { ERRNO, isRemote } from '#flux/errors.ts'
import {
  EMPTY_IDSET,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf, restrictToRanks } from '#flux/sets/resource-set.ts'
import type { Client } from '#flux/wire/client.ts'

/** The release that has `resource.sched-status` first. */
const CORE_STATUS_SINCE = [0, 61] as const

/** A status, and the method that answered it. */
export interface SourcedStatus {
  readonly topic: SchedStatusTopic
  readonly status: SchedStatus
}

export interface SchedulerView {
  /** The status, with every offline rank of R down. */
  readonly sched: SchedStatus
  /**
   * Ranks that are down for the scheduler alone: excluded while it ran (before 0.53), or `flux ion-resource set-status down`.
   * No job starts there.
   */
  readonly closed?: Idset
  /** Offline ranks that the scheduler takes for up (Fluxion before 0.61). It stays so until the scheduler is reloaded. */
  readonly untracked?: Idset
}

/** The ranks on which the two disagree. */
type Differences = Required<Pick<SchedulerView, 'closed' | 'untracked'>>

const NONE: Differences = { closed: EMPTY_IDSET, untracked: EMPTY_IDSET }

export class SchedulerReader {
  readonly #client: Client
  readonly #version: string
  /** Whether this release has no `resource.sched-status`. */
  #lacksCoreStatus = false
  #before: Differences = NONE

  constructor(client: Client, version: string) {
    this.#client = client
    this.#version = version
  }

  async read(limits: Limits): Promise<SourcedStatus> {
    const [core, scheduler] = SCHED_STATUS_TOPICS
    if (!this.#lacksCoreStatus) {
      try {
        return { topic: core, status: await getSchedStatus(this.#client, core, limits) }
      } catch (error) {
        if (!isRemote(error, ERRNO.ENOSYS)) throw error
      }
    }
    const status = await getSchedStatus(this.#client, scheduler, limits)
    // A later release has the method: its module is being reloaded.
    this.#lacksCoreStatus = !isSince(this.#version, CORE_STATUS_SINCE)
    return { topic: scheduler, status }
  }

  /**
   * Compares the answers of one reading. A rank that joins or leaves between two answers is no disagreement yet: what is
   * reported was so at the reading before, too.
   */
  compare({ topic, status: sched }: SourcedStatus, status: ResourceStatus): SchedulerView {
    if (topic === SCHED_STATUS_TOPICS[0]) return { sched }
    const all = ranksOf(sched.all)
    const down = ranksOf(sched.down)
    const offline = intersectIdsets(status.offline, all)
    const explained = unionIdsets(unionIdsets(offline, status.torpid), drainedRanks(status.drains))
    const now = {
      closed: subtractIdsets(intersectIdsets(down, all), explained),
      untracked: subtractIdsets(offline, down),
    }
    const before = this.#before
    this.#before = now
    const closed = intersectIdsets(now.closed, before.closed)
    const untracked = intersectIdsets(now.untracked, before.untracked)
    return {
      sched: withDown(sched, now.untracked),
      ...(isEmpty(closed) ? {} : { closed }),
      ...(isEmpty(untracked) ? {} : { untracked }),
    }
  }
}

/** @param ranks ranks that are not down */
function withDown(sched: SchedStatus, ranks: Idset): SchedStatus {
  if (isEmpty(ranks)) return sched
  const segments = [...sched.down.segments, ...restrictToRanks(sched.all, ranks).segments]
  return { ...sched, down: { segments: segments.sort((a, b) => a.first - b.first) } }
}
