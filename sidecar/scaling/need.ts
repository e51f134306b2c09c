// What a waiting job needs, out of what Flux tells of it. Pure.
import type { WaitingJob } from '#reading/facts.ts'

/** What a job needs. */
export interface Need {
  /** `undefined` if its slots may be spread as they fit. */
  readonly nodes: number | undefined
  readonly slots: number
  /** Per slot. */
  readonly cores: number
  /** Per slot. */
  readonly gpus: number
  /** Whole nodes, whatever is on them. */
  readonly exclusive: boolean
}

/** What a job needs: by its jobspec, or as far as job-list tells. */
export function needOf({ request, nnodes, ncores, ntasks }: WaitingJob): Need {
  if (request !== undefined) return request
  if (nnodes !== undefined) {
    const cores = ncores === undefined ? 0 : Math.ceil(ncores / Math.max(1, nnodes))
    return { nodes: nnodes, slots: nnodes, cores, gpus: 0, exclusive: ncores === undefined }
  }
  const all = ncores ?? ntasks ?? 1
  // Tasks are not slots: where they do not share the cores evenly, the cores alone are sure.
  const slots = ntasks !== undefined && all % ntasks === 0 ? ntasks : all
  return {
    nodes: undefined,
    slots,
    cores: slots === 0 ? 0 : all / slots,
    gpus: 0,
    exclusive: false,
  }
}
