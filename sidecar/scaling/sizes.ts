// The sizes that are published: what is wanted now, held for a while, never below what is busy, never beyond R. Pure.
import { countIds, unionIdsets } from '#flux/sets/idset.ts'
import type { Unknown } from '#reading/unknown.ts'
import type { Demand } from './demand.ts'
import type { QueueDemand } from './queue-demand.ts'
import { sizeWith } from './ranks.ts'

/** Sizes as numbers of pods. */
export interface Sizes {
  readonly wanted: WantedSizes | Unknown
  /** What is published for all, while ranks are drained before it shrinks; `undefined` without drains. */
  readonly drained: number | undefined
}

/** What is wanted for the jobs of all queues, and for those of each. */
export interface WantedSizes {
  readonly kind: 'known'
  readonly whole: number
  readonly queues: ReadonlyMap<string, number>
}

/** The size that is published, for all queues; or why none is. */
export function publishedSize({ wanted, drained }: Sizes): number | Unknown {
  return wanted.kind === 'unknown' ? wanted : (drained ?? wanted.whole)
}

/** The purpose under which the size for all queues is held. */
export const WHOLE = ''

/** Tells the largest size of the last while for a purpose, a queue's name or {@link WHOLE}. */
export type Hold = (purpose: string, size: number) => number

/**
 * The sizes that are wanted: the least that has every rank that pending jobs would be given and every busy rank, at least
 * the quorum, at most R.
 */
export function wantedSizes(demand: Demand, hold: Hold): WantedSizes {
  const sizeOf = (purpose: string, { placed }: QueueDemand) => {
    // Some pending jobs are not in sight: there may be work for every rank.
    const size = demand.isCut ? demand.maximum : sizeWith(placed)
    return clampSize(demand, hold(purpose, size))
  }
  return {
    kind: 'known',
    whole: sizeOf(WHOLE, demand.whole),
    queues: new Map([...demand.queues].map(([name, queue]) => [name, sizeOf(name, queue)])),
  }
}

/** How many nodes hold or would be given jobs. */
export function demandedNodes({ allocated, placed }: QueueDemand): number {
  return countIds(unionIdsets(allocated, placed))
}

/** Within what is busy and what there is. */
export function clampSize({ floor, quorum, maximum }: Demand, size: number): number {
  return Math.min(Math.max(size, floor, quorum), maximum)
}
