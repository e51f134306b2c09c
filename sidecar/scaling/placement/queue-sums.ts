// The sums of one queue while pending jobs are added, and the demand that they come to. Pure.
import { toIdset } from '#flux/sets/id-list.ts'
import type { Idset } from '#flux/sets/idset.ts'
import type { Domain } from './placement.ts'
import type { QueueDemand } from './queue-demand.ts'

/** The sums of one queue while jobs are added. */
export interface QueueSums {
  readonly domain: Domain
  readonly allocated: Idset
  readonly placed: Uint8Array
  pendingNodes: number
  pendingCores: number
  pendingGpus: number | undefined
  held: number
  infeasible: number
  readonly waits: number[]
  startSeconds: number | undefined
}

/** @param size the size of the MiniCluster with every rank of R */
export function emptySums(
  { domain, allocated }: Pick<QueueSums, 'domain' | 'allocated'>,
  size: number,
): QueueSums {
  return {
    domain,
    allocated,
    placed: new Uint8Array(size),
    pendingNodes: 0,
    pendingCores: 0,
    pendingGpus: 0,
    held: 0,
    infeasible: 0,
    waits: [],
    startSeconds: undefined,
  }
}

/** @param mayUseAnyRank whether some job may be given any usable rank */
export function finish(
  { domain, placed, waits, ...sums }: QueueSums,
  mayUseAnyRank: boolean,
): QueueDemand {
  if (mayUseAnyRank && waits.length > 0) {
    for (const { first, last } of domain.usable.ranges) placed.fill(1, first, last + 1)
  }
  return { ...sums, placed: toIdset(placed), waits: waits.sort((a, b) => b - a) }
}
