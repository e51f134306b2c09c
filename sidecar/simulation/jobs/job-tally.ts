// How many jobs of a simulated Flux instance are in each state, and how the inactive ones ended. Kept up to date, because a
// long run has too many jobs to count them at every reading.
import type { Job, JobResult, JobState } from './job.ts'

export class JobTally {
  readonly #states: Record<JobState, number> = {
    NEW: 0,
    DEPEND: 0,
    PRIORITY: 0,
    SCHED: 0,
    RUN: 0,
    CLEANUP: 0,
    INACTIVE: 0,
  }
  readonly #results: Record<JobResult, number> = {
    successful: 0,
    failed: 0,
    canceled: 0,
    timeout: 0,
  }

  get states(): Readonly<Record<JobState, number>> {
    return this.#states
  }

  /** Of the inactive jobs. */
  get results(): Readonly<Record<JobResult, number>> {
    return this.#results
  }

  /** Counts a new job. */
  add({ state }: Job): void {
    this.#states[state] += 1
  }

  /** @param before the state in which the job was counted */
  move({ state, result }: Job, before: JobState): void {
    this.#states[before] -= 1
    this.#states[state] += 1
    if (state === 'INACTIVE' && result !== undefined) this.#results[result] += 1
  }
}
