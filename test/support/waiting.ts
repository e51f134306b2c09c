// Jobs that wait, for tests: each says what matters to it, and is ordinary in the rest.
import type { Facts, WaitingJob, WaitingJobs } from '#reading/facts.ts'

/** A job of one core that has waited since 2026-11-24T01:02:03Z, one second less than the reading of factsOf() is old. */
export function waitingJob(changes: Partial<WaitingJob> = {}): WaitingJob {
  return {
    id: 1,
    state: 'SCHED',
    userid: 1000,
    priority: 16,
    queue: undefined,
    ntasks: 1,
    nnodes: undefined,
    ncores: 1,
    duration: 0,
    submittedAt: Date.parse('2026-11-24T01:02:03Z') / 1000,
    startEstimate: undefined,
    request: undefined,
    ...changes,
  }
}

/** So many nodes, with all of their cores. */
export function wholeNodes(nnodes: number, changes: Partial<WaitingJob> = {}): WaitingJob {
  return waitingJob({ nnodes, ncores: undefined, ntasks: nnodes, ...changes })
}

/** A list that is whole. */
export function waitingFor(...jobs: readonly WaitingJob[]): WaitingJobs {
  return { kind: 'known', jobs, total: jobs.length, unknownRequests: undefined }
}

/** When factsOf() was read, in seconds since the epoch. */
export const TAKEN_AT = Date.parse('2026-11-24T01:02:03.456Z') / 1000

/** A job of queue `batch` that asks for two nodes and has waited for ten minutes. */
export function batchJob(changes: Partial<WaitingJob> = {}): WaitingJob {
  const shape = { queue: 'batch', ntasks: 4, nnodes: 2, ncores: 8, duration: 60 }
  return waitingJob({ ...shape, submittedAt: TAKEN_AT - 600, ...changes })
}

/** All jobs that wait, as part of a snapshot. */
export function waiting(
  jobs: readonly WaitingJob[],
  changes: Partial<WaitingJobs> = {},
): Pick<Facts, 'waiting'> {
  return { waiting: { ...waitingFor(...jobs), ...changes } }
}
