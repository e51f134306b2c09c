// The jobs that the clock changes, and when: at the end of a commit, a run or a clean-up.
import type { Job } from './job.ts'

export class DueJobs {
  /** Only these jobs are checked at a tick. */
  readonly #jobs = new Set<Job>()

  /** The earliest due time, in milliseconds since the epoch. `undefined` if no job is due. */
  get next(): number | undefined {
    const due = Math.min(...[...this.#jobs].map(dueOf))
    return Number.isFinite(due) ? due : undefined
  }

  /** The jobs that are due at `now`, earliest first. */
  until(now: number): readonly Job[] {
    return [...this.#jobs].filter((job) => dueOf(job) <= now).sort((a, b) => dueOf(a) - dueOf(b))
  }

  set(job: Job, due: number): void {
    job.due = due
    this.#jobs.add(job)
  }

  delete(job: Job): void {
    job.due = undefined
    this.#jobs.delete(job)
  }
}

/** When the clock changes a job. Infinity if it does not. */
export function dueOf(job: Job): number {
  return job.due ?? Number.POSITIVE_INFINITY
}
