// The life of the jobs of a simulated Flux instance: submission, first come first served scheduling, start and end. The
// owner moves the clock and changes the nodes.

import { DueJobs } from './jobs/due-jobs.ts'
import {
  createJob,
  type Job,
  type JobException,
  type JobId,
  type JobRequest,
  type JobResult,
  type JobState,
} from './jobs/job.ts'
import { JobTable } from './jobs/job-table.ts'
import { WaitingJobs } from './jobs/waiting-jobs.ts'
import { type JobLatencies, Turns } from './latency.ts'
import type { Node } from './nodes/node.ts'
import { claim, place } from './scheduling/first-fit.ts'
import { Housekeeping, releaseAll } from './scheduling/housekeeping.ts'
import { isPassed, isRefused, type Policy } from './scheduling/policy.ts'
import type { Queue } from './scheduling/queue.ts'

interface WorkloadOptions {
  readonly nodes: readonly Node[]
  readonly queueOf: (job: { readonly queue: string | undefined }) => Queue | undefined
  readonly lostPodCleanupMs: number | undefined
  readonly latencies: JobLatencies
  readonly policy: Policy
  readonly startedAt: number
}

/** The lower 24 bits of a job id do not depend on the time (RFC 19). */
const ID_TIME_SHIFT = 24n

const EXCEPTIONS: Readonly<Partial<Record<JobResult, JobException>>> = {
  canceled: { type: 'cancel', note: '' },
  timeout: { type: 'timeout', note: 'resource allocation expired' },
}

const REFUSED: JobException = {
  type: 'alloc',
  note: 'alloc denied due to type="unsatisfiable"',
}

export class Workload {
  readonly table = new JobTable()
  /** Milliseconds since the epoch. */
  now: number
  readonly #options: WorkloadOptions
  /** Jobs that the scheduler has allocated and whose R is not committed yet: Flux still shows them as waiting. */
  readonly #committing = new Map<Job, Job['allocations']>()
  readonly #due = new DueJobs()
  readonly #waiting = new WaitingJobs()
  readonly #housekeeping = new Housekeeping()
  readonly #turns: Readonly<Record<keyof JobLatencies, Turns>>
  /** The first waiting job, if it was found not to fit. No job behind it starts. */
  #blocked: Job | undefined
  #lastId = 0n

  constructor(options: WorkloadOptions) {
    this.#options = options
    const { matchMs, commitMs, startMs, epilogMs, housekeepingMs } = options.latencies
    this.#turns = {
      matchMs: new Turns(matchMs),
      commitMs: new Turns(commitMs),
      startMs: new Turns(startMs),
      epilogMs: new Turns(epilogMs),
      housekeepingMs: new Turns(housekeepingMs),
    }
    this.now = options.startedAt
  }

  /** When the clock will change something next. `undefined` if it will not. */
  get nextDue(): number | undefined {
    const due = Math.min(this.#housekeeping.nextDue, this.#due.next ?? Number.POSITIVE_INFINITY)
    return Number.isFinite(due) ? due : undefined
  }

  submit(request: JobRequest): Job {
    if (this.#options.queueOf({ queue: request.queue }) === undefined) {
      throw new RangeError(`Cannot submit job: there is no queue "${request.queue ?? ''}"`)
    }
    const job = createJob(this.#nextId(), request)
    this.table.add(job, this.now)
    this.#enter(job, 'DEPEND')
    if (job.dependency === undefined) this.#makeReady(job)
    return job
  }

  release(id: JobId): void {
    const job = this.table.find(id)
    if (job.state === 'DEPEND') this.#makeReady(job)
  }

  finish(id: JobId, result: JobResult): void {
    const job = this.table.find(id)
    if (job.state !== 'RUN') throw new RangeError(`Cannot finish job ${id}: it is in ${job.state}`)
    this.#end(job, result, EXCEPTIONS[result])
  }

  cancel(job: Job): void {
    if (job.state !== 'INACTIVE') this.#end(job, 'canceled', EXCEPTIONS.canceled)
  }

  /** Nodes or queues changed: a job that did not fit may fit now. */
  unblock(): void {
    this.#blocked = undefined
  }

  /** Fails the jobs that run on nodes that went down. */
  failJobsOn(lostNodes: ReadonlySet<Node>): void {
    for (const job of this.table.running) {
      const lost = job.allocations.find(({ node }) => lostNodes.has(node))
      if (lost !== undefined) this.#fail(job, lost.node)
    }
  }

  /** Moves the clock. The changes that are due until then happen in the order of their times. */
  tick(now: number): void {
    for (let at = this.nextDue; at !== undefined && at <= now; at = this.nextDue) {
      this.now = Math.max(this.now, at)
      if (this.#housekeeping.release(this.now)) this.#blocked = undefined
      for (const job of this.#due.until(this.now)) {
        this.#expire(job)
        this.schedule()
      }
      this.schedule()
    }
    this.now = Math.max(this.now, now)
  }

  /** Starts the waiting jobs in their order, until one does not fit. That job waits, and all behind it unless they pass it. */
  schedule(): void {
    const { queueOf, policy } = this.#options
    const passed = new Set<Job>()
    for (;;) {
      const first = this.#waiting.first((job) => queueOf(job)?.started === true && !passed.has(job))
      if (first === undefined || first === this.#blocked) return
      const nodes = queueOf(first)?.nodes ?? []
      if (isRefused(first, nodes, policy)) {
        this.#end(first, 'failed', REFUSED)
        continue
      }
      const allocations = place(first, nodes)
      if (allocations === undefined && isPassed(first, nodes, policy)) {
        passed.add(first)
        continue
      }
      if (allocations === undefined) {
        this.#blocked = first
        return
      }
      this.#waiting.remove(first)
      this.#allocate(first, allocations)
    }
  }

  #nextId(): JobId {
    const earliest = BigInt(Math.floor(this.now - this.#options.startedAt)) << ID_TIME_SHIFT
    this.#lastId = earliest > this.#lastId ? earliest : this.#lastId + 1n
    return this.#lastId
  }

  #makeReady(job: Job): void {
    this.#enter(job, 'PRIORITY')
    this.#enter(job, 'SCHED')
    if (job.placement === undefined) this.#waiting.add(job)
    else this.#start(job, claim(job, this.#options.nodes))
  }

  /** The scheduler has decided. The decision is visible only when R is committed. */
  #allocate(job: Job, allocations: Job['allocations']): void {
    const hiddenMs = this.#turns.matchMs.next() + this.#turns.commitMs.next()
    if (hiddenMs === 0) {
      this.#start(job, allocations)
      return
    }
    this.#committing.set(job, allocations)
    this.#due.set(job, this.now + hiddenMs)
  }

  /** R is committed: the job starts, also if its nodes have changed since the decision. */
  #commit(job: Job): void {
    const allocations = this.#committing.get(job) ?? []
    this.#committing.delete(job)
    this.#due.delete(job)
    this.#start(job, allocations)
    const lost = allocations.find(({ node }) => !node.online)
    if (lost !== undefined) this.#fail(job, lost.node)
  }

  #start(job: Job, allocations: Job['allocations']): void {
    for (const { node, cores, gpus } of allocations) {
      node.cores.take(cores)
      node.gpus.take(gpus)
    }
    job.allocations = allocations
    this.#enter(job, 'RUN')
    const limitMs = job.timeLimit > 0 ? job.timeLimit * 1000 : Number.POSITIVE_INFINITY
    const afterMs = Math.min(job.durationMs ?? Number.POSITIVE_INFINITY, limitMs)
    const startMs = this.#turns.startMs.next()
    if (afterMs < Number.POSITIVE_INFINITY) this.#due.set(job, this.now + startMs + afterMs)
  }

  #expire(job: Job): void {
    const { durationMs, timeLimit } = job
    if (job.state === 'SCHED') this.#commit(job)
    else if (job.state === 'CLEANUP') this.#deactivate(job)
    else if (durationMs !== undefined && durationMs <= timeLimit * 1000) {
      this.#end(job, 'successful', undefined)
    } else this.#end(job, 'timeout', EXCEPTIONS.timeout)
  }

  #fail(job: Job, { host, rank }: Node): void {
    const { lostPodCleanupMs } = this.#options
    job.result = 'failed'
    job.exception = { type: 'node-failure', note: `node failure on ${host} (rank ${rank})` }
    this.#enter(job, 'CLEANUP')
    if (lostPodCleanupMs === undefined) this.#deactivate(job)
    else this.#due.set(job, this.now + lostPodCleanupMs)
  }

  #end(job: Job, result: JobResult, exception: JobException | undefined): void {
    if (job.state === 'CLEANUP') return
    if (job.state === 'SCHED') this.#waiting.remove(job)
    job.result = result
    job.exception = exception
    const hasRun = job.state === 'RUN'
    this.#enter(job, 'CLEANUP')
    const epilogMs = hasRun ? this.#turns.epilogMs.next() : 0
    if (epilogMs > 0) this.#due.set(job, this.now + epilogMs)
    else this.#deactivate(job)
  }

  #deactivate(job: Job): void {
    const { allocations } = job
    const housekeepingMs = allocations.length > 0 ? this.#turns.housekeepingMs.next() : 0
    if (housekeepingMs > 0) this.#housekeeping.add({ due: this.now + housekeepingMs, allocations })
    else releaseAll(this.#committing.get(job) ?? allocations)
    this.#committing.delete(job)
    this.#due.delete(job)
    this.#blocked = undefined
    this.#enter(job, 'INACTIVE')
  }

  #enter(job: Job, state: JobState): void {
    this.table.enter(job, state, this.now)
  }
}
