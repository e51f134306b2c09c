// What holds the floor: the highest busy rank, and the job there. Pure.
import { formatJobId } from '#flux/calls/job-id.ts'
import { hasId } from '#flux/sets/idset.ts'
import type { Demand } from '#scaling/demand.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { describeEnd, secondsLeft } from './jobs/running-jobs.ts'

/** The highest busy rank, and the job on it if Flux names one. */
export interface FloorHolder {
  readonly rank: number
  /** F58 (RFC 19): `ƒ2aK`. */
  readonly job: string | null
  readonly user: number | null
  /** Until its time limit; `null` without one, or if it is not known. */
  readonly endsInSeconds: number | null
}

/** What holds the floor, as a clause. */
export function describeFloor(snapshot: Snapshot, demand: Demand, now: Date): string {
  const holder = floorHolderOf(snapshot, demand, now)
  const rank = demand.floor - 1
  if (holder !== null && holder.job !== null) {
    const { job, user } = holder
    const owner = user === null ? '' : ` of user ${user}`
    const end = snapshot.highestJob === undefined ? '' : describeEnd(snapshot.highestJob, now)
    return `rank ${rank} runs job ${job}${owner}${end}`
  }
  if (hasId(snapshot.recent, rank))
    return `rank ${rank} is kept because it was busy, or first seen, a moment ago`
  return `rank ${rank} is allocated`
}

/** @param now the time from which the remaining time is counted */
export function floorHolderOf(
  { highestJob, recent }: Snapshot,
  { floor, whole }: Demand,
  now: Date,
): FloorHolder | null {
  const rank = floor - 1
  if (!hasId(whole.allocated, rank) && !hasId(recent, rank)) return null
  if (highestJob === undefined || !hasId(highestJob.ranks, rank)) {
    return { rank, job: null, user: null, endsInSeconds: null }
  }
  const { id, userid = null } = highestJob
  return { rank, job: formatJobId(id), user: userid, endsInSeconds: secondsLeft(highestJob, now) }
}
