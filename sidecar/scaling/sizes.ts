// Computes the sizes to publish: the size that is wanted, held for a while, never below a busy rank and never beyond R. Pure.
import { countIds, unionIdsets } from '#flux/sets/idset.ts'
import type { Unknown } from '#reading/unknown.ts'
import type { Demand } from './demand.ts'
import type { QueueDemand } from './placement/queue-demand.ts'
import { sizeWith } from './ranks.ts'
import type { UnstartedJob } from './unstarted/unstarted-jobs.ts'

/** Sizes as numbers of pods. */
export interface Sizes {
  readonly wanted: WantedSizes | Unknown
  /** With drain before shrink: the size that is published for all queues. `undefined` without drains. */
  readonly drained: number | undefined
}

/** The sizes that are wanted for the jobs of all queues, and for the jobs of each queue. */
export interface WantedSizes {
  readonly kind: 'known'
  readonly whole: number
  readonly queues: ReadonlyMap<string, number>
}

/** The size that is published for all queues, or why none is. */
export function publishedSize({ wanted, drained }: Sizes): number | Unknown {
  return wanted.kind === 'unknown' ? wanted : (drained ?? wanted.whole)
}

/** The purpose of the size for all queues. */
export const ALL_QUEUES = ''

/** Returns the largest recent size for a purpose, which is the name of a queue or {@link ALL_QUEUES}. */
type Hold = (purpose: string, size: number) => number

/**
 * The smallest sizes that have every busy rank and every rank that pending jobs would be given; at least the quorum, at most
 * R.
 *
 * @param unstarted jobs that fit and are not started: a size is at least the one that is tried for them
 */
export function wantedSizes(
  demand: Demand,
  hold: Hold,
  unstarted: readonly UnstartedJob[] = [],
): WantedSizes {
  const sizeOf = (purpose: string, { placed }: QueueDemand) => {
    // Some pending jobs are not listed or not placed: there may be work for every rank.
    const size = demand.isCut ? demand.maximum : sizeWith(placed)
    return clampSize(demand, hold(purpose, Math.max(size, triedSize(unstarted, purpose))))
  }
  return {
    kind: 'known',
    whole: sizeOf(ALL_QUEUES, demand.whole),
    queues: new Map([...demand.queues].map(([name, queue]) => [name, sizeOf(name, queue)])),
  }
}

/** The size that is tried for jobs that fit and are not started; 0 if there are none. */
function triedSize(unstarted: readonly UnstartedJob[], purpose: string): number {
  return unstarted
    .filter(({ queue }) => purpose === ALL_QUEUES || queue === purpose)
    .reduce((most, { size = 0 }) => Math.max(most, size), 0)
}

/** The number of nodes that hold jobs or would be given pending ones. */
export function demandedNodes({ allocated, placed }: QueueDemand): number {
  return countIds(unionIdsets(allocated, placed))
}

/** The size, at least the floor and the quorum, but at most that of R. */
export function clampSize({ floor, quorum, maximum }: Demand, size: number): number {
  return Math.min(Math.max(size, floor, quorum), maximum)
}
