// All jobs of a simulated Flux instance and the state of each (RFC 21). Which state comes next is decided in workload.ts.
import type { Job, JobId, JobState } from './job.ts'

/** A job entered a state. */
export interface Transition {
  readonly job: Job
  readonly state: JobState
  /** Milliseconds since the epoch. */
  readonly at: number
}

export class JobTable {
  /** All jobs that were submitted, oldest first. */
  readonly jobs = new Map<JobId, Job>()
  readonly #pending = new Set<Job>()
  readonly #running = new Set<Job>()
  #active = 0
  #transitions: Transition[] = []

  /** Jobs that have not started, oldest first. */
  get pending(): readonly Job[] {
    return [...this.#pending]
  }

  get running(): ReadonlySet<Job> {
    return this.#running
  }

  /** Number of jobs that have not ended. */
  get active(): number {
    return this.#active
  }

  /** @throws RangeError if there is no such job */
  find(id: JobId): Job {
    const job = this.jobs.get(id)
    if (job === undefined) throw new RangeError(`Cannot find job ${id}`)
    return job
  }

  /** Adds a new job. @param at milliseconds since the epoch */
  add(job: Job, at: number): void {
    this.jobs.set(job.id, job)
    this.#pending.add(job)
    this.#active += 1
    job.times.NEW = at
  }

  /** Changes the state of a job. @param at milliseconds since the epoch */
  enter(job: Job, state: JobState, at: number): void {
    if (state === 'RUN' || state === 'CLEANUP') this.#pending.delete(job)
    if (state === 'RUN') this.#running.add(job)
    if (state === 'CLEANUP') this.#running.delete(job)
    if (state === 'INACTIVE') this.#active -= 1
    job.state = state
    job.times[state] = at
    this.#transitions.push({ job, state, at })
  }

  /** The transitions since the last call, oldest first. */
  takeTransitions(): readonly Transition[] {
    const transitions = this.#transitions
    this.#transitions = []
    return transitions
  }
}
