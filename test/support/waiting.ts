// Pending jobs for tests: a test sets the fields that matter, the others have usual values.
import type { RequestPart } from '#flux/calls/jobspec-parts.ts'
import type { Facts, JobRequest, WaitingJob, WaitingJobs } from '#reading/facts.ts'

/** A job of one core. It was submitted at 2026-11-24T01:02:03Z, 456 ms before the reading of factsOf(). */
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

/** A job for this number of whole nodes. */
export function wholeNodes(nnodes: number, changes: Partial<WaitingJob> = {}): WaitingJob {
  return waitingJob({ nnodes, ncores: undefined, ntasks: nnodes, ...changes })
}

/** A list that has all pending jobs. */
export function waitingFor(...jobs: readonly WaitingJob[]): WaitingJobs {
  return {
    kind: 'known',
    jobs,
    total: jobs.length,
    lacksStartable: false,
    unknownRequests: undefined,
  }
}

/** The time of the reading of factsOf(), in seconds since the epoch. */
export const TAKEN_AT = Date.parse('2026-11-24T01:02:03.456Z') / 1000

/** A job of queue `batch` that asks for two nodes and has waited for ten minutes. */
export function batchJob(changes: Partial<WaitingJob> = {}): WaitingJob {
  const shape = { queue: 'batch', ntasks: 4, nnodes: 2, ncores: 8, duration: 60 }
  return waitingJob({ ...shape, submittedAt: TAKEN_AT - 600, ...changes })
}

/** A list of all pending jobs, as part of a snapshot. */
export function waiting(
  jobs: readonly WaitingJob[],
  changes: Partial<WaitingJobs> = {},
): Pick<Facts, 'waiting'> {
  return { waiting: { ...waitingFor(...jobs), ...changes } }
}

/** The request of a jobspec with one way and one part, on every rank. */
export function requestFor(part: RequestPart): JobRequest {
  return { ways: [[part]], ranks: undefined }
}
