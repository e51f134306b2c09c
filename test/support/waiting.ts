// Jobs that wait, for tests: each says what matters to it, and is ordinary in the rest.
import type { WaitingJob, WaitingJobs } from '#metrics/facts.ts'

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
  return { kind: 'known', jobs, total: jobs.length, untold: undefined }
}
