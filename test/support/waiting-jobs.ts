// Jobs that wait, for tests of what is made of them.

import type { WaitingJob, WaitingJobs } from '#metrics/facts.ts'
import type { Snapshot } from '#metrics/snapshot.ts'

/** When {@link snapshotOf} was taken, in seconds since the epoch. */
export const TAKEN_AT = Date.parse('2026-11-24T01:02:03.456Z') / 1000

/** A job of two nodes that has waited for ten minutes. */
export function waitingJob(changes: Partial<WaitingJob> = {}): WaitingJob {
  return {
    id: 1,
    state: 'SCHED',
    userid: 1000,
    priority: 16,
    queue: 'batch',
    ntasks: 4,
    nnodes: 2,
    ncores: 8,
    duration: 60,
    submittedAt: TAKEN_AT - 600,
    startEstimate: undefined,
    request: undefined,
    ...changes,
  }
}

/** All jobs that wait, as part of a snapshot. */
export function waiting(
  jobs: readonly WaitingJob[],
  changes: Partial<WaitingJobs> = {},
): Pick<Snapshot, 'waiting'> {
  return { waiting: { kind: 'known', jobs, total: jobs.length, untold: undefined, ...changes } }
}
