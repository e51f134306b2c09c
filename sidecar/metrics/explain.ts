// Why the size is what it is, in words and as data. Pure.
import { formatIdset, hasId, highestId, subtractIdsets } from '#flux/idset.ts'
import { formatJobId } from '#flux/job-id.ts'
import { ranksOf } from '#flux/resource-set.ts'
import type { Demand } from './demand.ts'
import { describeTraps } from './scheduler.ts'
import { demandedNodes, sizeWith } from './sizes.ts'
import type { Snapshot } from './snapshot.ts'

/** The default of `--horizontal-pod-autoscaler-tolerance`. */
const TOLERANCE = 0.1

/** What there is to say about one snapshot. */
export interface Explanation {
  /** The published size; `null` while nobody knows what is wanted. */
  readonly desired: number | null
  /** Ranks that are there now, up to the highest. */
  readonly present: number
  readonly floor: number | null
  readonly demand: number | null
  readonly quorum: number
  readonly maximum: number | null
  /** What decides the size, the most important first. */
  readonly reasons: readonly string[]
  /** What is wrong, or will surprise. */
  readonly warnings: readonly string[]
}

/** Explains. */
export function explain(snapshot: Snapshot): Explanation {
  const { demand, sizes, quorum } = snapshot
  const present = sizeWith(subtractIdsets(ranksOf(snapshot.all), snapshot.offline))
  const isKnown = sizes.wanted.kind === 'known' && demand.kind === 'known'
  const desired = sizes.wanted.kind === 'known' ? (sizes.drained ?? sizes.wanted.whole) : undefined
  return {
    desired: desired ?? null,
    present,
    floor: demand.kind === 'known' ? demand.floor : null,
    demand: isKnown ? demandedNodes(demand.whole) : null,
    quorum,
    maximum: demand.kind === 'known' ? demand.maximum : null,
    reasons:
      demand.kind === 'known' && desired !== undefined
        ? reasonsFor(snapshot, demand, desired)
        : [unknownReason(snapshot)],
    warnings: warningsFor(snapshot, { desired, present }),
  }
}

/** One line: `desired 10: rank 9 runs ƒ2aK of user 1000, ends in 41 min; …`. */
export function explainInLine({ desired, reasons }: Explanation): string {
  return `desired ${desired ?? 'unknown'}: ${reasons.join('; ')}`
}

function unknownReason({ demand, sizes }: Snapshot): string {
  if (sizes.wanted.kind === 'withheld') return sizes.wanted.reason
  return demand.kind === 'withheld' ? demand.reason : 'nothing is known yet'
}

function reasonsFor(snapshot: Snapshot, demand: Demand, desired: number): readonly string[] {
  const { sizes, lost } = snapshot
  const { whole, floor, quorum, maximum, isCut } = demand
  const wanted = sizes.wanted.kind === 'known' ? sizes.wanted.whole : desired
  const placed = sizeWith(whole.placed)
  const reasons: string[] = []
  if (desired > wanted)
    reasons.push(
      `ranks ${wanted} to ${desired - 1} are being drained before it shrinks to ${wanted}`,
    )
  if (isCut) reasons.push('more jobs wait than we list: there may be work for every node of R')
  else if (whole.waits.length > 0) reasons.push(describePending(demand))
  if (floor > 1) reasons.push(describeFloor(snapshot, demand))
  if (wanted > Math.max(floor, placed, quorum) && !isCut)
    reasons.push(`${wanted} was wanted a moment ago`)
  if (quorum > 1 && desired === quorum) reasons.push(`Flux needs ${quorum} nodes to start (quorum)`)
  if (desired === maximum && placed === maximum) reasons.push(`R has no more than ${maximum} nodes`)
  if (highestId(lost) !== undefined)
    reasons.push(`ranks ${formatIdset(lost)} are given up: they have not come for long`)
  return reasons.length === 0 ? ['nothing runs and nothing waits'] : reasons
}

function describePending({ whole }: Demand): string {
  const { waits, pendingNodes, placed } = whole
  const jobs = waits.length === 1 ? '1 pending job needs' : `${waits.length} pending jobs need`
  const nodes = pendingNodes === 1 ? '1 node' : `${pendingNodes} nodes`
  const highest = highestId(placed)
  return highest === undefined ? `${jobs} ${nodes}` : `${jobs} ${nodes}, up to rank ${highest}`
}

function describeFloor({ highestJob, takenAt, recent }: Snapshot, { floor }: Demand): string {
  const rank = floor - 1
  if (highestJob !== undefined && hasId(highestJob.ranks, rank)) {
    const { id, userid, expiration } = highestJob
    const ends =
      expiration === 0
        ? 'without a time limit'
        : `ends in ${forPeople(expiration - takenAt.getTime() / 1000)}`
    return `rank ${rank} runs ${formatJobId(id)} of user ${userid}, ${ends}`
  }
  if (hasId(recent, rank)) return `rank ${rank} was released, or found, a moment ago`
  return `rank ${rank} is allocated`
}

function warningsFor(
  snapshot: Snapshot,
  { desired, present }: { readonly desired: number | undefined; readonly present: number },
): readonly string[] {
  const { demand, fluxion } = snapshot
  const warnings = [...describeTraps(fluxion)]
  if (demand.kind === 'known') {
    const { held, infeasible } = demand.whole
    if (held > 0) warnings.push(`${plural(held, 'pending job')} held by the user: no demand`)
    if (infeasible > 0)
      warnings.push(
        `${plural(infeasible, 'pending job')} asking for more than R has: never started`,
      )
  }
  if (desired !== undefined && isIgnored(desired, present)) {
    warnings.push(
      `an HPA with the default tolerance of 10 % holds ${present}: set tolerance 0 in its behavior (Kubernetes 1.35), ` +
        'or use node_desired_compensated_count',
    )
  }
  return warnings
}

function isIgnored(desired: number, present: number): boolean {
  return desired !== present && Math.abs(desired / present - 1) <= TOLERANCE
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

const UNITS = [
  { seconds: 86_400, name: 'd' },
  { seconds: 3_600, name: 'h' },
  { seconds: 60, name: 'min' },
] as const

/** A time to go, in the unit that one would say it in. */
function forPeople(seconds: number): string {
  const unit = UNITS.find((candidate) => seconds >= 2 * candidate.seconds)
  if (unit === undefined) return `${Math.max(0, Math.round(seconds))} s`
  return `${Math.round(seconds / unit.seconds)} ${unit.name}`
}
