// All jobs of a simulated Flux instance and the state of each (RFC 21). Which state comes next is decided in workload.ts.
import type { Job, JobId, JobState } from './job.ts'
import { JobTally } from './job-tally.ts'

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
  readonly tally = new JobTally()
  readonly #tallies = new Map<string | undefined, JobTally>()
  readonly #pending = new Set<Job>()
  readonly #running = new Set<Job>()
  readonly #active = new Set<Job>()
  readonly #failed: Job[] = []
  #transitions: Transition[] = []

  /** Jobs that have not started, oldest first. */
  get pending(): readonly Job[] {
    return [...this.#pending]
  }

  get running(): ReadonlySet<Job> {
    return this.#running
  }

  /** Jobs that have not ended, oldest first. */
  get active(): ReadonlySet<Job> {
    return this.#active
  }

  /** Jobs that failed, in the order of their ends. */
  get failed(): readonly Job[] {
    return this.#failed
  }

  /** The jobs of one queue. */
  tallyOf(queue: string | undefined): JobTally {
    const tally = this.#tallies.get(queue) ?? new JobTally()
    this.#tallies.set(queue, tally)
    return tally
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
    this.#active.add(job)
    this.tally.add(job)
    this.tallyOf(job.queue).add(job)
    job.times.NEW = at
  }

  /** Changes the state of a job. @param at milliseconds since the epoch */
  enter(job: Job, state: JobState, at: number): void {
    if (state === 'RUN' || state === 'CLEANUP') this.#pending.delete(job)
    if (state === 'RUN') this.#running.add(job)
    if (state === 'CLEANUP') this.#running.delete(job)
    if (state === 'INACTIVE') {
      this.#active.delete(job)
      if (job.result === 'failed') this.#failed.push(job)
    }
    const before = job.state
    job.state = state
    this.tally.move(job, before)
    this.tallyOf(job.queue).move(job, before)
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
