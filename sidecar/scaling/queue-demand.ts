// What the jobs of one queue want, or of several, or of all.
import { EMPTY_IDSET, type Idset, unionIdsets } from '#flux/sets/idset.ts'

/** What the jobs of one queue, or of all, want. */
export interface QueueDemand {
  /** Ranks with something allocated, of those that are there: the queue's. */
  readonly allocated: Idset
  /** Ranks that pending jobs would be given. */
  readonly placed: Idset
  /** Nodes that eligible pending jobs ask for, those without a number of nodes by their cores. */
  readonly pendingNodes: number
  /** Cores that they ask for, whole nodes by their cores. */
  readonly pendingCores: number
  /** GPUs that they ask for; `undefined` where Flux does not tell. */
  readonly pendingGpus: number | undefined
  /** Jobs held by their user (priority 0). */
  readonly held: number
  /** Jobs that ask for more than their queue has in R. */
  readonly infeasible: number
  /** How long each eligible job has waited, in seconds, the longest first. */
  readonly waits: readonly number[]
  /** In how many seconds the scheduler expects to start the first eligible job; `undefined` where it says nothing. */
  readonly startSeconds: number | undefined
}

/** Nobody asks for anything. */
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

/** What both want together. */
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
