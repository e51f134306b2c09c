// The resources that a pending job needs, by its jobspec, or as far as job-list says. Pure.
import { mostOf } from '#flux/calls/count-range.ts'
import type { CountRange, RequestPart } from '#flux/calls/jobspec-parts.ts'
import { countIds } from '#flux/sets/idset.ts'
import type { ResourceSet } from '#flux/sets/resource-set.ts'
import type { WaitingJob } from '#reading/facts.ts'
import { isUnknown } from '#reading/unknown.ts'

/** What a job needs, or a part of it. */
export type Need = RequestPart

/** How many cores a node with so many free ones gives each of its slots. */
export function coresOfSlot({ cores, ranges }: Need, free: number): number {
  return ranges?.cores === undefined ? cores : shareOf(cores, ranges.cores, free)
}

/** How many GPUs a node with so many free ones gives each of its slots. */
export function gpusOfSlot({ gpus, ranges }: Need, free: number): number {
  return ranges?.gpus === undefined ? gpus : shareOf(gpus, ranges.gpus, free)
}

/** @param least what the slot has without the range's choice: of the range its least, and what stands beside it */
function shareOf(least: number, range: CountRange, free: number): number {
  const beside = least - range.times * range.min
  return beside + range.times * mostOf(range, free - beside)
}

/** How many of its slots fit on a node with so many free cores and GPUs; without end if they need neither. Called for every rank. */
export function slotsOn(need: Need, freeCores: number, freeGpus: number): number {
  const cores = coresOfSlot(need, freeCores)
  const gpus = gpusOfSlot(need, freeGpus)
  const byCores = cores === 0 ? Number.POSITIVE_INFINITY : freeCores / cores
  const byGpus = gpus === 0 ? Number.POSITIVE_INFINITY : freeGpus / gpus
  return Math.floor(Math.min(byCores, byGpus))
}

/** Ways to satisfy a job: one is enough, and it needs all of its parts. */
export type Ways = readonly (readonly Need[])[]

/** Cores of the ranks of R. */
export interface NodeCores {
  /** Of the rank with the most. */
  readonly most: number
  /** Of the rank with the fewest. */
  readonly fewest: number
}

export function nodeCoresOf({ segments }: ResourceSet): NodeCores {
  let [most, fewest] = [1, Number.POSITIVE_INFINITY]
  for (const segment of segments) {
    const cores = countIds(segment.cores)
    most = Math.max(most, cores)
    fewest = Math.min(fewest, cores)
  }
  return { most, fewest }
}

/**
 * The needs of a job.
 *
 * Without the jobspec, job-list may leave open how large the slots are. Then the needs are those of the slots that take the
 * most nodes: the job needs no more. Where ranks differ there are no such slots.
 *
 * @returns `undefined` if it is not known what the job asks for
 */
export function waysOf(
  {
    request,
    nnodes,
    ncores,
    ntasks,
  }: Partial<Pick<WaitingJob, 'request' | 'nnodes' | 'ncores' | 'ntasks'>>,
  { most, fewest }: NodeCores,
): Ways | undefined {
  if (request !== undefined) return isUnknown(request) ? undefined : request.ways
  if (nnodes !== undefined) {
    const cores = ncores === undefined ? 0 : Math.ceil(ncores / Math.max(1, nnodes))
    // job-list counts slots with nodes in them several times (slot=4/node/core=8: 4 nodes, 16 tasks, 128 cores).
    if (cores > most && ntasks !== nnodes) return undefined
    const exclusive = ncores === undefined
    return [[{ nodes: nnodes, slots: nnodes, cores, gpus: 0, exclusive }]]
  }
  if (ncores === undefined) return undefined
  // Tasks that do not share the cores evenly are no slots.
  const isSlots = ntasks !== undefined && ntasks > 0 && ncores % ntasks === 0
  if (!isSlots && most !== fewest) return undefined
  const cores = isSlots ? ncores / ntasks : widestSlot(ncores, most)
  const slots = cores === 0 ? 0 : ncores / cores
  return [[{ nodes: undefined, slots, cores, gpus: 0, exclusive: false }]]
}

/**
 * Where the schedulers of flux-core place them: who asks for whole nodes gets idle ones, however few cores they have, with the
 * GPUs of one slot. Fluxion refuses a job whose nodes have too few.
 */
export function onIdleNodes(ways: Ways): Ways {
  return ways.map((parts) =>
    parts.map((need) =>
      need.exclusive ? { ...need, cores: 0, gpus: need.leastGpus ?? need.gpus } : need,
    ),
  )
}

/**
 * The size of equal slots with which a number of cores takes the most nodes. Of several such sizes the largest, which is the
 * hardest to place.
 */
function widestSlot(ncores: number, coresPerNode: number): number {
  let widest = 1
  let most = 0
  for (let cores = 1; cores <= Math.min(ncores, coresPerNode); cores += 1) {
    if (ncores % cores !== 0) continue
    const nodes = Math.ceil(ncores / cores / Math.floor(coresPerNode / cores))
    if (nodes < most) continue
    most = nodes
    widest = cores
  }
  return widest
}
