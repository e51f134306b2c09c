// What the scheduler's own status (sched.resource-status) says of ranks, compared with what the resource module says: the
// scheduler may have lost track of a rank, or may not use one. Since 0.61 the resource module answers both.
import { drainedRanks, type ResourceStatus, type SchedStatus } from '#flux/calls/resource-calls.ts'
import {
  EMPTY_IDSET,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf, restrictToRanks } from '#flux/sets/resource-set.ts'

export interface SchedulerView {
  /** The status, with every offline rank of R down. */
  readonly sched: SchedStatus
  /**
   * Ranks that are down for the scheduler alone: excluded while it ran (before 0.53), or `flux ion-resource set-status down`.
   * No job starts there.
   */
  readonly closed: Idset
  /** Offline ranks that the scheduler takes for up (Fluxion before 0.61). It stays so until the scheduler is reloaded. */
  readonly untracked: Idset
}

/** The ranks on which the two disagree. */
type Differences = Pick<SchedulerView, 'closed' | 'untracked'>

const NONE: Differences = { closed: EMPTY_IDSET, untracked: EMPTY_IDSET }

/** Compares the answers of each reading. A rank that joins or leaves between two answers is no disagreement yet. */
export class SchedulerViews {
  #before: Differences = NONE

  /** The view of flux-core: both answers are the resource module's. */
  static ofCore(sched: SchedStatus): SchedulerView {
    return { sched, ...NONE }
  }

  /** The view of the scheduler. What is reported was so at the reading before, too. */
  ofScheduler(sched: SchedStatus, status: ResourceStatus): SchedulerView {
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
    return {
      sched: withDown(sched, now.untracked),
      closed: intersectIdsets(now.closed, before.closed),
      untracked: intersectIdsets(now.untracked, before.untracked),
    }
  }
}

/** @param ranks ranks that are not down */
function withDown(sched: SchedStatus, ranks: Idset): SchedStatus {
  if (isEmpty(ranks)) return sched
  const segments = [...sched.down.segments, ...restrictToRanks(sched.all, ranks).segments]
  return { ...sched, down: { segments: segments.sort((a, b) => a.first - b.first) } }
}
