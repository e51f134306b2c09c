// The demand of the jobs of one queue, of several, or of all. Pure.
import { EMPTY_IDSET, type Idset, unionIdsets } from '#flux/sets/idset.ts'

export interface QueueDemand {
  /** Live ranks of the queue with something allocated. */
  readonly allocated: Idset
  /** Ranks that pending jobs would be given. */
  readonly placed: Idset
  /** Nodes that eligible pending jobs ask for, computed from its slots if a job asks for no number of nodes. */
  readonly pendingNodes: number
  /** Cores that they ask for; a whole node counts as the cores of the largest node. */
  readonly pendingCores: number
  /** GPUs that they ask for; `undefined` if Flux does not show them. */
  readonly pendingGpus: number | undefined
  /** Jobs held by their user (priority 0). */
  readonly held: number
  /** Jobs that ask for more than their queue has in R. */
  readonly infeasible: number
  /** How long each eligible job has waited, in seconds, the longest first. `Infinity` if Flux does not say since when. */
  readonly waits: readonly number[]
  /** In how many seconds the scheduler expects to start the first eligible job; `undefined` without an estimate. */
  readonly startSeconds: number | undefined
}

export const NO_DEMAND: QueueDemand = {
  allocated: EMPTY_IDSET,
  placed: EMPTY_IDSET,
  pendingNodes: 0,
  pendingCores: 0,
  pendingGpus: 0,
  held: 0,
  infeasible: 0,
  waits: [],
  startSeconds: undefined,
}

/** The demand of both together. */
export function addDemands(a: QueueDemand, b: QueueDemand): QueueDemand {
  const { pendingGpus: ofA } = a
  const { pendingGpus: ofB } = b
  const starts = [a.startSeconds, b.startSeconds].filter((start) => start !== undefined)
  return {
    allocated: unionIdsets(a.allocated, b.allocated),
    placed: unionIdsets(a.placed, b.placed),
    pendingNodes: a.pendingNodes + b.pendingNodes,
    pendingCores: a.pendingCores + b.pendingCores,
    pendingGpus: ofA === undefined || ofB === undefined ? undefined : ofA + ofB,
    held: a.held + b.held,
    infeasible: a.infeasible + b.infeasible,
    waits: [...a.waits, ...b.waits].sort((one, other) => other - one),
    startSeconds: starts.length === 0 ? undefined : Math.min(...starts),
  }
}
