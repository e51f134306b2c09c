// The jobs of a simulated Flux instance and their way through the states of RFC 21, first come, first served. When
// time passes and which nodes are up is told from outside; transitions are collected until somebody takes them.

import { claim, isFeasible, place } from './first-fit.ts'
import { Housekeeping, releaseAll } from './housekeeping.ts'
import {
  createJob,
  type Job,
  type JobException,
  type JobId,
  type JobRequest,
  type JobResult,
  type JobState,
} from './job.ts'
import { type JobLatencies, Turns } from './latency.ts'
import type { Node } from './node.ts'
import type { Queue } from './queue.ts'
import { WaitingLine } from './waiting-line.ts'

/** A job entered a state. */
export interface Transition {
  readonly job: Job
  readonly state: JobState
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface WorkloadOptions {
  readonly nodes: readonly Node[]
  readonly queueOf: (job: { readonly queue: string | undefined }) => Queue | undefined
  readonly lostPodCleanupMs: number | undefined
  readonly latencies: JobLatencies
  readonly refusesMoreThanUp: boolean
  readonly startedAt: number
}

/** The lower 24 bits of a job id are not of its time (RFC 19). */
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
  readonly jobs = new Map<JobId, Job>()
  /** Milliseconds since the epoch. */
  now: number
  readonly #options: WorkloadOptions
  readonly #running = new Set<Job>()
  readonly #pending = new Set<Job>()
  /** Jobs that the scheduler has given resources and whose R is not committed yet: they still wait for all to see. */
  readonly #committing = new Map<Job, Job['allocations']>()
  /** Jobs to which time will do something, so that a tick need not look at all. */
  readonly #clocked = new Set<Job>()
  readonly #line = new WaitingLine()
  readonly #housekeeping = new Housekeeping()
  readonly #turns: Readonly<Record<keyof JobLatencies, Turns>>
  #transitions: Transition[] = []
  /** The head of the line, if it was found not to fit: nobody behind it is served. */
  #blocked: Job | undefined
  #lastId = 0n
  #active = 0

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

  /** Jobs that have not started, oldest first. */
  get pending(): readonly Job[] {
    return [...this.#pending]
  }

  get running(): ReadonlySet<Job> {
    return this.#running
  }

  /** How many jobs have not ended yet. */
  get active(): number {
    return this.#active
  }

  /** When the clock will change something next; `undefined` if it will not. */
  get nextDue(): number | undefined {
    const due = Math.min(this.#housekeeping.nextDue, ...[...this.#clocked].map(dueOf))
    return Number.isFinite(due) ? due : undefined
  }

  /** The transitions since the last call, oldest first. */
  takeTransitions(): readonly Transition[] {
    const transitions = this.#transitions
    this.#transitions = []
    return transitions
  }

  submit(request: JobRequest): Job {
    if (this.#options.queueOf({ queue: request.queue }) === undefined) {
      throw new RangeError(`Cannot submit job: there is no queue "${request.queue ?? ''}"`)
    }
    const job = createJob(this.#nextId(), request)
    this.jobs.set(job.id, job)
    this.#pending.add(job)
    this.#active += 1
    job.times.NEW = this.now
    this.#enter(job, 'DEPEND')
    if (job.dependency === undefined) this.#makeReady(job)
    return job
  }

  release(id: JobId): void {
    const job = this.find(id)
    if (job.state === 'DEPEND') this.#makeReady(job)
  }

  finish(id: JobId, result: JobResult): void {
    const job = this.find(id)
    if (job.state !== 'RUN') throw new RangeError(`Cannot finish job ${id}: it is in ${job.state}`)
    this.#end(job, result, EXCEPTIONS[result])
  }

  cancel(job: Job): void {
    if (job.state !== 'INACTIVE') this.#end(job, 'canceled', EXCEPTIONS.canceled)
  }

  find(id: JobId): Job {
    const job = this.jobs.get(id)
    if (job === undefined) throw new RangeError(`Cannot find job ${id}`)
    return job
  }

  /** Nodes or queues changed: who did not fit may fit now. */
  unblock(): void {
    this.#blocked = undefined
  }

  /** Fails the jobs that run on nodes that are gone. */
  lose(gone: ReadonlySet<Node>): void {
    for (const job of this.#running) {
      const lost = job.allocations.find(({ node }) => gone.has(node))
      if (lost !== undefined) this.#fail(job, lost.node)
    }
  }

  /** Moves the clock; what was due until then happens, in the order of its time. */
  tick(now: number): void {
    for (let at = this.nextDue; at !== undefined && at <= now; at = this.nextDue) {
      this.now = Math.max(this.now, at)
      if (this.#housekeeping.release(this.now)) this.#blocked = undefined
      for (const job of [...this.#clocked].filter((one) => dueOf(one) <= this.now)) {
        this.#expire(job)
        this.schedule()
      }
      this.schedule()
    }
    this.now = Math.max(this.now, now)
  }

  /** Starts what fits, in the order of the line, until one does not: it and all behind it wait. */
  schedule(): void {
    const { queueOf } = this.#options
    for (;;) {
      const head = this.#line.head((job) => queueOf(job)?.started === true)
      if (head === undefined || head === this.#blocked) return
      const nodes = queueOf(head)?.nodes ?? []
      if (this.#isRefused(head, nodes)) {
        this.#end(head, 'failed', REFUSED)
        continue
      }
      const allocations = place(head, nodes)
      if (allocations === undefined) {
        this.#blocked = head
        return
      }
      this.#line.remove(head)
      this.#allocate(head, allocations)
    }
  }

  #isRefused(job: Job, nodes: readonly Node[]): boolean {
    if (!isFeasible(job, nodes)) return true
    if (!this.#options.refusesMoreThanUp) return false
    return (job.nodes ?? 0) > nodes.filter(({ usable }) => usable).length
  }

  #nextId(): JobId {
    const earliest = BigInt(Math.floor(this.now - this.#options.startedAt)) << ID_TIME_SHIFT
    this.#lastId = earliest > this.#lastId ? earliest : this.#lastId + 1n
    return this.#lastId
  }

  #makeReady(job: Job): void {
    this.#enter(job, 'PRIORITY')
    this.#enter(job, 'SCHED')
    if (job.placement === undefined) this.#line.add(job)
    else this.#start(job, claim(job, this.#options.nodes))
  }

  /** The scheduler has decided; nobody else sees it before R is committed. */
  #allocate(job: Job, allocations: Job['allocations']): void {
    const hiddenMs = this.#turns.matchMs.next() + this.#turns.commitMs.next()
    if (hiddenMs === 0) {
      this.#start(job, allocations)
      return
    }
    this.#committing.set(job, allocations)
    this.#changeAt(job, this.now + hiddenMs)
  }

  /** R is committed: the job starts, whatever became of its nodes meanwhile. */
  #commit(job: Job): void {
    const allocations = this.#committing.get(job) ?? []
    this.#committing.delete(job)
    this.#clocked.delete(job)
    job.due = undefined
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
    this.#running.add(job)
    this.#enter(job, 'RUN')
    const limitMs = job.timeLimit > 0 ? job.timeLimit * 1000 : Number.POSITIVE_INFINITY
    const afterMs = Math.min(job.durationMs ?? Number.POSITIVE_INFINITY, limitMs)
    const startMs = this.#turns.startMs.next()
    if (afterMs < Number.POSITIVE_INFINITY) this.#changeAt(job, this.now + startMs + afterMs)
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
    this.#running.delete(job)
    this.#enter(job, 'CLEANUP')
    if (lostPodCleanupMs === undefined) this.#deactivate(job)
    else this.#changeAt(job, this.now + lostPodCleanupMs)
  }

  #end(job: Job, result: JobResult, exception: JobException | undefined): void {
    if (job.state === 'CLEANUP') return
    if (job.state === 'SCHED') this.#line.remove(job)
    job.result = result
    job.exception = exception
    const hasRun = this.#running.delete(job)
    this.#enter(job, 'CLEANUP')
    const epilogMs = hasRun ? this.#turns.epilogMs.next() : 0
    if (epilogMs > 0) this.#changeAt(job, this.now + epilogMs)
    else this.#deactivate(job)
  }

  #deactivate(job: Job): void {
    const { allocations } = job
    const housekeepingMs = allocations.length > 0 ? this.#turns.housekeepingMs.next() : 0
    if (housekeepingMs > 0) this.#housekeeping.add({ due: this.now + housekeepingMs, allocations })
    else releaseAll(this.#committing.get(job) ?? allocations)
    this.#committing.delete(job)
    job.due = undefined
    this.#active -= 1
    this.#clocked.delete(job)
    this.#blocked = undefined
    this.#enter(job, 'INACTIVE')
  }

  #changeAt(job: Job, due: number): void {
    job.due = due
    this.#clocked.add(job)
  }

  #enter(job: Job, state: JobState): void {
    if (state === 'RUN' || state === 'CLEANUP') this.#pending.delete(job)
    job.state = state
    job.times[state] = this.now
    this.#transitions.push({ job, state, at: this.now })
  }
}

function dueOf(job: Job): number {
  return job.due ?? Number.POSITIVE_INFINITY
}
