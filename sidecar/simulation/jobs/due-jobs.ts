// The jobs that the clock changes, and when: at the end of a commit, a run or a clean-up.
import type { Job } from './job.ts'

export class DueJobs {
  /** Only these jobs are checked at a tick. */
  readonly #jobs = new Set<Job>()
  /** The earliest due time, kept until the job that has it changes. Infinity if no job is due. */
  #next: number | undefined

  /** The earliest due time, in milliseconds since the epoch. `undefined` if no job is due. */
  get next(): number | undefined {
    if (this.#next === undefined) {
      this.#next = Number.POSITIVE_INFINITY
      for (const job of this.#jobs) this.#next = Math.min(this.#next, dueOf(job))
    }
    return Number.isFinite(this.#next) ? this.#next : undefined
  }

  /** The jobs that are due at `now`, earliest first. */
  until(now: number): readonly Job[] {
    if ((this.next ?? Number.POSITIVE_INFINITY) > now) return []
    return [...this.#jobs].filter((job) => dueOf(job) <= now).sort((a, b) => dueOf(a) - dueOf(b))
  }

  set(job: Job, due: number): void {
    this.delete(job)
    job.due = due
    this.#jobs.add(job)
    if (this.#next !== undefined) this.#next = Math.min(this.#next, due)
  }

  delete(job: Job): void {
    if (job.due !== undefined && job.due === this.#next) this.#next = undefined
    job.due = undefined
    this.#jobs.delete(job)
  }
}

/** When the clock changes a job. Infinity if it does not. */
export function dueOf(job: Job): number {
  return job.due ?? Number.POSITIVE_INFINITY
}
