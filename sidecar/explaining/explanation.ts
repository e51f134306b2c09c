// Explains the published size, as data and in sentences. Pure. The layout for a terminal is in text.ts, warnings and
// unknown values are in warnings.ts.
import { formatJobId } from '#flux/calls/job-id.ts'
import {
  formatIdset,
  hasId,
  highestId,
  idsBetween,
  isEmpty,
  subtractIdsets,
} from '#flux/sets/idset.ts'
import type { Demand } from '#scaling/demand.ts'
import { isWithinTolerance } from '#scaling/hpa-tolerance.ts'
import type { QueueDemand } from '#scaling/placement/queue-demand.ts'
import { sizeWith } from '#scaling/ranks.ts'
import { demandedNodes, publishedSize, wantedSizes } from '#scaling/sizes.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { explainHeldDrains, type HeldDrainExplanation } from './held-drains.ts'
import { describeTried } from './unstarted-jobs.ts'
import { unknownsOf, warningsOf } from './warnings.ts'
import { plural, ranksAre, spellSeconds } from './wording.ts'

/** The explanation of one snapshot, as plain JSON. Sizes are numbers of nodes; `null` means that a value is unknown. */
export interface Explanation {
  /** One line: `desired 10: rank 9 runs job ƒ2aK of user 1000, which ends within 41 min; …`. */
  readonly summary: string
  /** When Flux was read (ISO 8601), and how many seconds ago that was. */
  readonly takenAt: string
  readonly ageSeconds: number
  /** The published size. */
  readonly desired: number | null
  /** 1 + the highest rank that is online now. */
  readonly present: number
  readonly floor: number | null
  readonly demand: number | null
  /** The number of nodes that Flux waits for when it starts. */
  readonly quorum: number
  /** The size with every rank of R. */
  readonly maximum: number | null
  /** What holds the floor; `null` if only the lead broker does. */
  readonly floorHolder: FloorHolder | null
  readonly pending: PendingCounts | null
  /** Named queues. */
  readonly queues: readonly QueueExplanation[]
  readonly drains: readonly DrainExplanation[]
  /** Ranks that the sidecar keeps drained for now; left out if there is none. */
  readonly held?: readonly HeldDrainExplanation[]
  /** Ranks that are counted as lost, as an idset (RFC 22); empty if there is none. */
  readonly lost: string
  /** The reasons for the size, the most important first. */
  readonly reasons: readonly string[]
  /** Problems and surprises, each with its cure if there is one. */
  readonly warnings: readonly string[]
  /** Values that are unknown, each with the reason and what would help. */
  readonly unknowns: readonly string[]
}

/** The highest busy rank, and the job on it if Flux names one. */
export interface FloorHolder {
  readonly rank: number
  /** F58 (RFC 19): `ƒ2aK`. */
  readonly job: string | null
  readonly user: number | null
  /** Until its time limit; `null` without one. */
  readonly endsInSeconds: number | null
}

/** Jobs that wait. `jobs` and `nodes` count only the jobs that the scheduler would start if there were nodes. */
export interface PendingCounts {
  readonly jobs: number
  readonly nodes: number
  readonly held: number
  readonly infeasible: number
  /** Whether more jobs wait than were listed: then the numbers count only the listed jobs. */
  readonly isCut: boolean
}

/** One queue. */
export interface QueueExplanation {
  readonly name: string
  /** The size that the MiniCluster would have for this queue alone. */
  readonly desired: number | null
  readonly started: boolean
  readonly pending: PendingCounts
}

/** Ranks that were drained with one reason. */
export interface DrainExplanation {
  /** An idset (RFC 22). */
  readonly ranks: string
  readonly reason: string
  /** Whether the sidecar drained them, to shrink. */
  readonly isOwn: boolean
}

/** @param now the time from which ages and remaining times are counted */
export function explain(snapshot: Snapshot, now: Date): Explanation {
  const { demand, sizes, quorum, takenAt } = snapshot
  const present = sizeWith(snapshot.ranks.live)
  const published = publishedSize(sizes)
  const desired = typeof published === 'number' ? published : null
  const known = demand.kind === 'known' ? demand : undefined
  const reasons =
    known === undefined || desired === null
      ? [unknownReason(snapshot)]
      : reasonsFor(snapshot, { demand: known, desired, now })
  const isIgnored = desired !== null && desired !== present && isWithinTolerance(desired, present)
  return {
    summary: `desired ${desired ?? 'unknown'}: ${[
      ...reasons,
      ...(isIgnored ? [`an HPA with the default tolerance stays at ${present}`] : []),
    ].join('; ')}`,
    takenAt: takenAt.toISOString(),
    ageSeconds: Math.max(0, now.getTime() - takenAt.getTime()) / 1000,
    desired,
    present,
    floor: known?.floor ?? null,
    demand: known === undefined || known.unknownPlaces !== undefined ? null : demandOf(known),
    quorum,
    maximum: known?.maximum ?? null,
    floorHolder: known === undefined ? null : floorHolderOf(snapshot, known, now),
    pending: known === undefined ? null : countPending(known.whole, known),
    queues: known === undefined ? [] : queuesOf(snapshot, known),
    drains: drainsOf(snapshot),
    ...(snapshot.heldDrains?.length ? { held: explainHeldDrains(snapshot, now) } : {}),
    lost: formatIdset(snapshot.lost),
    reasons,
    warnings: warningsOf(snapshot, { isIgnored, present }),
    unknowns: unknownsOf(snapshot),
  }
}

function unknownReason({ demand, sizes }: Snapshot): string {
  if (sizes.wanted.kind === 'unknown') return sizes.wanted.reason
  return demand.kind === 'unknown' ? demand.reason : 'nothing is known yet'
}

/** The value of `node_demand_count`. */
function demandOf({ whole, isCut, maximum }: Demand): number {
  return isCut ? maximum : demandedNodes(whole)
}

interface Known {
  readonly demand: Demand
  readonly desired: number
  readonly now: Date
}

function reasonsFor(snapshot: Snapshot, known: Known): readonly string[] {
  const { sizes, lost } = snapshot
  const { demand, desired } = known
  const { whole, floor, quorum, maximum, isCut } = demand
  const wanted = sizes.wanted.kind === 'known' ? sizes.wanted.whole : desired
  const placed = isCut ? maximum : sizeWith(whole.placed)
  const { whole: least } = wantedSizes(demand, (_, size) => size, snapshot.unstarted)
  const jobs = isEmpty(whole.allocated) && floor === 1 ? [] : [describeFloor(snapshot, known)]
  const waits = describePending(demand)
  const reasons = [
    ...(desired > wanted
      ? [
          `${ranksAre(idsBetween(wanted, desired))} being drained before the size falls to ${wanted}`,
        ]
      : []),
    ...(wanted > least
      ? [`${plural(wanted, 'node')} ${wanted === 1 ? 'was' : 'were'} needed a moment ago`]
      : []),
    ...describeTried(snapshot),
    ...(placed > floor ? [...waits, ...jobs] : [...jobs, ...waits]),
    ...(quorum > Math.max(floor, placed) ? [`Flux needs ${quorum} nodes to start (quorum)`] : []),
    ...(placed === maximum && !isCut ? [`R has no more than ${plural(maximum, 'node')}`] : []),
    ...(isEmpty(lost) ? [] : [`${ranksAre(lost)} given up after a long time offline`]),
  ]
  return reasons.length === 0 ? ['nothing runs, and no job waits for nodes'] : reasons
}

function describePending({ whole, isCut, isPartial, unknownNeeds }: Demand): readonly string[] {
  if (isPartial)
    return ['the pending jobs are too different to place all: they may need every node of R']
  if (isCut) return ['more jobs wait than the sidecar lists: they may need every node of R']
  const { waits, pendingNodes, placed } = whole
  if (waits.length === 0) return []
  const needs = `${plural(waits.length, 'pending job')} need${waits.length === 1 ? 's' : ''}`
  const highest = highestId(placed)
  const reach = highest === undefined ? '' : `, up to rank ${highest}`
  if (unknownNeeds !== undefined) return [`${needs} nodes of a number that is not known${reach}`]
  return [`${needs} ${plural(pendingNodes, 'node')}${reach}`]
}

function describeFloor(snapshot: Snapshot, { demand, now }: Known): string {
  const holder = floorHolderOf(snapshot, demand, now)
  const rank = demand.floor - 1
  if (holder !== null && holder.job !== null) {
    const { job, user, endsInSeconds } = holder
    const ends =
      endsInSeconds === null ? 'has no time limit' : `ends within ${spellSeconds(endsInSeconds)}`
    return `rank ${rank} runs job ${job} of user ${user}, which ${ends}`
  }
  if (hasId(snapshot.recent, rank))
    return `rank ${rank} is kept because it was busy, or first seen, a moment ago`
  return `rank ${rank} is allocated`
}

/** Ten years. */
const NO_LIMIT_SECONDS = 10 * 365 * 86_400

function floorHolderOf(
  { highestJob, recent }: Snapshot,
  { floor, whole }: Demand,
  now: Date,
): FloorHolder | null {
  const rank = floor - 1
  if (!hasId(whole.allocated, rank) && !hasId(recent, rank)) return null
  if (highestJob === undefined || !hasId(highestJob.ranks, rank)) {
    return { rank, job: null, user: null, endsInSeconds: null }
  }
  const { id, userid, expiration } = highestJob
  const leftSeconds = Math.max(0, expiration - now.getTime() / 1000)
  // Fluxion gives a job without a time limit the end of R, decades away.
  const endsInSeconds = expiration === 0 || leftSeconds > NO_LIMIT_SECONDS ? null : leftSeconds
  return { rank, job: formatJobId(id), user: userid, endsInSeconds }
}

function countPending(
  { waits, pendingNodes, held, infeasible }: QueueDemand,
  { isCut }: Demand,
): PendingCounts {
  return { jobs: waits.length, nodes: pendingNodes, held, infeasible, isCut }
}

function queuesOf({ sizes, queues }: Snapshot, demand: Demand): readonly QueueExplanation[] {
  const { wanted } = sizes
  return [...demand.queues].map(([name, queue]) => ({
    name,
    desired: wanted.kind === 'known' ? (wanted.queues.get(name) ?? null) : null,
    started: queues.get(name)?.started ?? true,
    pending: countPending(queue, demand),
  }))
}

function drainsOf({ drains, ranks: { ownDrained } }: Snapshot): readonly DrainExplanation[] {
  return drains.map(({ ranks, reason }) => ({
    ranks: formatIdset(ranks),
    reason,
    isOwn: !isEmpty(ranks) && isEmpty(subtractIdsets(ranks, ownDrained)),
  }))
}
