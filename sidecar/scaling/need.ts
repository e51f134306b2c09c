// Computes what a pending job needs from its jobspec, or from the attributes in the list of jobs. Pure.
import type { WaitingJob } from '#reading/facts.ts'

/** The resources that a job needs. */
export interface Need {
  /** `undefined` if the slots may be on any nodes. */
  readonly nodes: number | undefined
  readonly slots: number
  /** Per slot. */
  readonly cores: number
  /** Per slot. */
  readonly gpus: number
  /** Whether the job needs whole nodes, with all their resources. */
  readonly exclusive: boolean
}

export function needOf({ request, nnodes, ncores, ntasks }: WaitingJob): Need {
  if (request !== undefined) return request
  if (nnodes !== undefined) {
    const cores = ncores === undefined ? 0 : Math.ceil(ncores / Math.max(1, nnodes))
    return { nodes: nnodes, slots: nnodes, cores, gpus: 0, exclusive: ncores === undefined }
  }
  const all = ncores ?? ntasks ?? 1
  // A task is not a slot. If the tasks do not share the cores evenly, only the number of cores is certain.
  const slots = ntasks !== undefined && all % ntasks === 0 ? ntasks : all
  return {
    nodes: undefined,
    slots,
    cores: slots === 0 ? 0 : all / slots,
    gpus: 0,
    exclusive: false,
  }
}
