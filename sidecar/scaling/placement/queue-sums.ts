// The sums of one queue while pending jobs are added, and the demand that they come to. Pure.
import { EMPTY_IDSET, type IdRange, type Idset, subtractIdsets } from '#flux/sets/idset.ts'
import { type Need, slotsOn } from './need.ts'
import type { Domain } from './placement.ts'
import { NO_DEMAND, type QueueDemand } from './queue-demand.ts'

/** The sums of one queue while jobs are added. */
export interface QueueSums {
  readonly domain: Domain
  readonly allocated: Idset
  /** How many more jobs were given a rank than the rank before it: a range costs two additions, however wide it is. */
  readonly placed: Int32Array
  /** Sets that were added by {@link addOnce}. */
  readonly added: Set<Idset>
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
  const placed = new Int32Array(size + 1)
  return { ...NO_DEMAND, domain, allocated, placed, added: new Set(), waits: [] }
}

/** Adds the ranks that a job was given. */
export function addPlaced({ placed }: Pick<QueueSums, 'placed'>, { ranges }: Idset): void {
  for (const { first, last } of ranges) {
    placed[first] = (placed[first] ?? 0) + 1
    placed[last + 1] = (placed[last + 1] ?? 0) - 1
  }
}

/** Adds ranks that many jobs share, as the same object. */
export function addOnce(sums: Pick<QueueSums, 'placed' | 'added'>, ranks: Idset): void {
  if (!sums.added.has(ranks)) addPlaced(sums, ranks)
  sums.added.add(ranks)
}

/** How the demand follows from the sums of every queue. */
export interface Ending {
  /** Whether some job may be given any usable rank. */
  readonly mayUseAnyRank: boolean
  /** Ranks of other clusters: what is placed there is no demand for ours. */
  readonly bursted: Idset
}

export function finish(
  { domain, placed, added: _, waits, ...sums }: QueueSums,
  { mayUseAnyRank, bursted }: Ending,
): QueueDemand {
  if (mayUseAnyRank && waits.length > 0) addPlaced({ placed }, domain.startable)
  const ours = subtractIdsets(placedRanks(placed), bursted)
  return { ...sums, placed: ours, waits: waits.sort((a, b) => b - a) }
}

function placedRanks(placed: Int32Array): Idset {
  const ranges: IdRange[] = []
  let jobs = 0
  let first = 0
  for (let rank = 0; rank < placed.length; rank += 1) {
    const before = jobs
    jobs += placed[rank] ?? 0
    if (before === 0) first = rank
    else if (jobs === 0) ranges.push({ first, last: rank - 1 })
  }
  return ranges.length === 0 ? EMPTY_IDSET : { ranges }
}

/** How many nodes a need takes if it shares none of them. @param most cores and GPUs of the nodes with the most */
export function nodesFor(
  need: Need,
  most: { readonly cores: number; readonly gpus: number },
): number {
  const { nodes, slots } = need
  return nodes ?? Math.ceil(slots / Math.max(1, slotsOn(need, most.cores, most.gpus)))
}
