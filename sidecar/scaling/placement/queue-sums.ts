// The sums of one queue while pending jobs are added, and the demand that they come to. Pure.
import { toIdset } from '#flux/sets/id-list.ts'
import { type Idset, subtractIdsets } from '#flux/sets/idset.ts'
import type { Need } from './need.ts'
import type { Domain } from './placement.ts'
import { NO_DEMAND, type QueueDemand } from './queue-demand.ts'

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

/** @param size 1 + the highest rank of R */
export function emptySums(
  { domain, allocated }: Pick<QueueSums, 'domain' | 'allocated'>,
  size: number,
): QueueSums {
  return { ...NO_DEMAND, domain, allocated, placed: new Uint8Array(size), waits: [] }
}

/** How the demand follows from the sums of every queue. */
export interface Ending {
  /** Whether some job may be given any usable rank. */
  readonly mayUseAnyRank: boolean
  /** Ranks of other clusters: what is placed there is no demand for ours. */
  readonly bursted: Idset
}

export function finish(
  { domain, placed, waits, ...sums }: QueueSums,
  { mayUseAnyRank, bursted }: Ending,
): QueueDemand {
  if (mayUseAnyRank && waits.length > 0) {
    for (const { first, last } of domain.usable.ranges) placed.fill(1, first, last + 1)
  }
  const ours = subtractIdsets(toIdset(placed), bursted)
  return { ...sums, placed: ours, waits: waits.sort((a, b) => b - a) }
}

/** How many nodes a need takes if it shares none of them. @param most cores and GPUs of the nodes with the most */
export function nodesFor(
  { nodes, slots, cores, gpus }: Need,
  most: { readonly cores: number; readonly gpus: number },
): number {
  if (nodes !== undefined) return nodes
  const byCores = cores === 0 ? Number.POSITIVE_INFINITY : most.cores / cores
  const byGpus = gpus === 0 ? Number.POSITIVE_INFINITY : most.gpus / gpus
  return Math.ceil(slots / Math.max(1, Math.floor(Math.min(byCores, byGpus))))
}
