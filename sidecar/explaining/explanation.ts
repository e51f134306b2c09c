// Explains the published size, as data and in sentences. Pure. The layout for a terminal is in text.ts, what is said in notices/.

import { countIds, formatIdset, isEmpty, subtractIdsets } from '#flux/sets/idset.ts'
import { isUnknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { isWithinTolerance } from '#scaling/hpa-tolerance.ts'
import type { QueueDemand } from '#scaling/placement/queue-demand.ts'
import { sizeWith } from '#scaling/ranks.ts'
import { demandedNodes, publishedSize } from '#scaling/sizes.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { type FloorHolder, floorHolderOf } from './floor-holder.ts'
import { explainHeldDrains, type HeldDrainExplanation } from './held-drains.ts'
import { type Notice, textsOf } from './notice.ts'
import { reasonsOf } from './notices/reasons.ts'
import { unknownsOf } from './notices/unknowns.ts'
import { warningsOf } from './notices/warnings.ts'

/** The explanation of one snapshot, as plain JSON. Sizes are numbers of nodes; `null` means that a value is unknown. */
export interface Explanation {
  /** One line: `desired 10: rank 9 runs job ƒ2aK of user 1000, which ends within 41 min; …`. */
  readonly summary: string
  /** When Flux was read (ISO 8601), and how many seconds ago that was. */
  readonly takenAt: string
  readonly ageSeconds: number
  /** The published size. */
  readonly desired: number | null
  /** 1 + the highest rank of ours that is online now. */
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
  /** Ranks of other clusters (bursting), as an idset; left out if there is none. */
  readonly bursted?: string
  /** The reasons for the size, the most important first. */
  readonly reasons: readonly string[]
  /** Problems and surprises, each with its cure if there is one. */
  readonly warnings: readonly string[]
  /** Values that are unknown, each with the reason and what would help. */
  readonly unknowns: readonly string[]
  /** The same reasons, warnings and unknown values, each with its code. */
  readonly notices: readonly Notice[]
}

/**
 * Jobs that wait. `jobs` counts only those that the scheduler would start if there were nodes, and `nodes` the nodes that they
 * would be given.
 */
export interface PendingCounts {
  readonly jobs: number
  readonly nodes: number
  readonly held: number
  readonly infeasible: number
  /** Jobs that no size starts now: they wait for a dependency, a time or a priority, or their queue is stopped. */
  readonly ineligible: number
  /** Whether some jobs could not be listed or placed: then the numbers are too small. */
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
  const { demand, sizes, quorum, takenAt, ranks } = snapshot
  const present = sizeWith(ranks.live)
  const published = publishedSize(sizes)
  const desired = typeof published === 'number' ? published : null
  const known = demand.kind === 'known' ? demand : undefined
  const sized = isUnknown(snapshot.pods) ? undefined : known
  const isIgnored = desired !== null && desired !== present && isWithinTolerance(desired, present)
  const notices = [
    ...reasonsOf(snapshot, now),
    ...warningsOf(snapshot, { isIgnored, present }),
    ...unknownsOf(snapshot),
  ]
  const reasons = textsOf(notices, 'reason')
  return {
    summary: `desired ${desired ?? 'unknown'}: ${[
      ...reasons,
      ...(isIgnored ? [`an HPA with the default tolerance stays at ${present}`] : []),
    ].join('; ')}`,
    takenAt: takenAt.toISOString(),
    ageSeconds: Math.max(0, now.getTime() - takenAt.getTime()) / 1000,
    desired,
    present,
    floor: sized?.floor ?? null,
    demand: sized === undefined || sized.unknownPlaces !== undefined ? null : demandIn(sized),
    quorum,
    maximum: sized?.maximum ?? null,
    floorHolder: sized === undefined ? null : floorHolderOf(snapshot, sized, now),
    pending: known === undefined ? null : countPending(known.whole, known, countWaiting(snapshot)),
    queues: known === undefined ? [] : queuesOf(snapshot, known),
    drains: drainsOf(snapshot),
    ...(snapshot.heldDrains?.length ? { held: explainHeldDrains(snapshot, now) } : {}),
    lost: formatIdset(snapshot.lost),
    ...(isEmpty(ranks.bursted) ? {} : { bursted: formatIdset(ranks.bursted) }),
    reasons,
    warnings: textsOf(notices, 'warning'),
    unknowns: textsOf(notices, 'unknown'),
    notices,
  }
}

/** The value of `node_demand_count`. */
export function demandIn({ whole, isCut, maximum }: Demand): number {
  return isCut ? maximum : demandedNodes(whole)
}

/** @param waiting how many jobs wait, for whatever */
function countPending(
  { waits, placed, held, infeasible }: QueueDemand,
  { isCut }: Demand,
  waiting: number,
): PendingCounts {
  const jobs = waits.length
  const ineligible = Math.max(0, waiting - jobs - held - infeasible)
  return { jobs, nodes: countIds(placed), held, infeasible, ineligible, isCut }
}

/** @param queue default: in all queues */
function countWaiting({ waiting }: Pick<Snapshot, 'waiting'>, queue?: string): number {
  if (isUnknown(waiting)) return 0
  return waiting.jobs.filter((job) => queue === undefined || job.queue === queue).length
}

function queuesOf(snapshot: Snapshot, demand: Demand): readonly QueueExplanation[] {
  const { queues } = snapshot
  const { wanted } = snapshot.sizes
  return [...demand.queues].map(([name, queue]) => ({
    name,
    desired: wanted.kind === 'known' ? (wanted.queues.get(name) ?? null) : null,
    started: queues.get(name)?.started ?? true,
    pending: countPending(queue, demand, countWaiting(snapshot, name)),
  }))
}

function drainsOf({ drains, ranks: { ownDrained } }: Snapshot): readonly DrainExplanation[] {
  return drains.map(({ ranks, reason }) => ({
    ranks: formatIdset(ranks),
    reason,
    isOwn: !isEmpty(ranks) && isEmpty(subtractIdsets(ranks, ownDrained)),
  }))
}
