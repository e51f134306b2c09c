// The jobs that wait for resources: highest urgency first, then oldest first.
import type { Job } from './job.ts'

export class WaitingJobs {
  #jobs: Job[] = []

  add(job: Job): void {
    const last = this.#jobs.at(-1)
    if (last === undefined || last.urgency >= job.urgency) {
      this.#jobs.push(job)
      return
    }
    const at = this.#jobs.findIndex(({ urgency }) => urgency < job.urgency)
    this.#jobs.splice(at, 0, job)
  }

  remove(job: Job): void {
    const at = this.#jobs.indexOf(job)
    if (at >= 0) this.#jobs.splice(at, 1)
  }

  /** The first job that is not held and for which `mayStart` is true. */
  first(mayStart: (job: Job) => boolean): Job | undefined {
    return this.#jobs.find((job) => job.urgency > 0 && mayStart(job))
  }
}
