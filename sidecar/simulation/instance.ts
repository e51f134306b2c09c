// A simulated Flux instance: nodes that join and leave, queues, and jobs served first come, first served. It has no timers
// (the owner moves the clock) and no wire format (test/support/broker encodes its answers).
import { EventEmitter } from 'node:events'
import {
  createNamedQueues,
  createNodes,
  createQueue,
  DEFAULT_HOST_PREFIX,
  type InstanceOptions,
} from './instance-options.ts'
import type { Job, JobId, JobRequest, JobResult } from './jobs/job.ts'
import type { Transition } from './jobs/job-table.ts'
import type { JobTally } from './jobs/job-tally.ts'
import { Inventory, type NodeChange } from './nodes/inventory.ts'
import type { Node } from './nodes/node.ts'
import type { Queue } from './scheduling/queue.ts'
import { Workload } from './workload.ts'

export type { InstanceOptions } from './instance-options.ts'
export type { Job, JobId, JobRequest, JobResult } from './jobs/job.ts'
export type { NodeChange } from './nodes/inventory.ts'

interface InstanceEvents {
  nodes: [change: NodeChange]
  jobs: [transitions: readonly Transition[]]
}

/** One Flux instance. It emits `nodes` and `jobs` after each change, when the new state is readable. */
export class Instance extends EventEmitter<InstanceEvents> {
  readonly hostPrefix: string
  /** Named queues in the order of the options. Empty if there is only the anonymous queue. */
  readonly queues: ReadonlyMap<string, Queue>
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly #anonymous: Queue
  readonly #workload: Workload
  readonly #inventory: Inventory
  #revision = 0

  constructor(options: InstanceOptions) {
    super()
    this.setMaxListeners(0)
    const { hostPrefix = DEFAULT_HOST_PREFIX, now = new Date() } = options
    this.hostPrefix = hostPrefix
    this.startedAt = now.getTime()
    this.#inventory = new Inventory(createNodes(options, this.startedAt), this.startedAt)
    this.#anonymous = createQueue('', this.nodes, options)
    this.queues = createNamedQueues(options, this.nodes)
    this.#workload = new Workload({
      nodes: this.nodes,
      queueOf: ({ queue }) => this.queue(queue),
      lostPodCleanupMs: options.lostPodCleanupMs,
      latencies: options,
      policy: {
        refusesMoreThanUp: options.refusesMoreThanUp ?? false,
        passesAbsent: options.passesAbsent ?? false,
      },
      startedAt: this.startedAt,
    })
  }

  get nodes(): readonly Node[] {
    return this.#inventory.nodes
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#workload.now
  }

  /** Counts the changes. A value derived from the state is valid until the next change. */
  get revision(): number {
    return this.#revision
  }

  /** All jobs that were submitted, oldest first. */
  get jobs(): ReadonlyMap<JobId, Job> {
    return this.#workload.table.jobs
  }

  /** Jobs in DEPEND, PRIORITY or SCHED, oldest first. */
  get pending(): readonly Job[] {
    return this.#workload.table.pending
  }

  get running(): ReadonlySet<Job> {
    return this.#workload.table.running
  }

  /** Jobs that have not ended, oldest first. */
  get active(): ReadonlySet<Job> {
    return this.#workload.table.active
  }

  /** Jobs that failed, in the order of their ends. */
  get failed(): readonly Job[] {
    return this.#workload.table.failed
  }

  /** The jobs by state. @param queue of one queue; default: of all */
  tally(queue?: string): JobTally {
    const { table } = this.#workload
    return queue === undefined ? table.tally : table.tallyOf(queue)
  }

  /** When the clock will change a job next, in milliseconds since the epoch. `undefined` if it will not. */
  get nextDue(): number | undefined {
    return this.#workload.nextDue
  }

  /** All changes of nodes since the start, oldest first. */
  get changes(): readonly NodeChange[] {
    return this.#inventory.changes
  }

  /** Ranks that are up, ascending. */
  get online(): readonly number[] {
    return this.nodes.filter(({ online }) => online).map(({ rank }) => rank)
  }

  /** The queue of that name. Without a name: the anonymous queue, which exists only if there are no named queues. */
  queue(name: string | undefined): Queue | undefined {
    if (this.queues.size > 0) return this.queues.get(name ?? '')
    return name === undefined ? this.#anonymous : undefined
  }

  up(...ranks: readonly number[]): void {
    this.#commitNodes(this.#inventory.up(ranks, this.now))
  }

  /** The brokers of these ranks left: the jobs that ran there fail. */
  down(...ranks: readonly number[]): void {
    const change = this.#inventory.down(ranks, this.now)
    this.#workload.failJobsOn(new Set(this.#inventory.nodesOf(change?.ranks ?? [])))
    this.#commitNodes(change)
  }

  /** Brings the ranks below `size` up and all others down, like a resize of a MiniCluster. */
  resize(size: number): void {
    const ranks = this.nodes.filter(({ bursted }) => !bursted).map(({ rank }) => rank)
    this.up(...ranks.slice(0, size))
    this.down(...ranks.slice(size))
  }

  drain(ranks: readonly number[], reason?: string): void {
    this.#commitNodes(this.#inventory.drain(ranks, reason, this.now))
  }

  undrain(ranks: readonly number[]): void {
    this.#commitNodes(this.#inventory.undrain(ranks, this.now))
  }

  /** @throws RangeError if there is no such queue, or if a count of the request is not positive */
  submit(request: JobRequest = {}): Job {
    const job = this.#workload.submit(request)
    this.#commit()
    return job
  }

  /** The dependency of a job in DEPEND is met. */
  release(id: JobId): void {
    this.#workload.release(id)
    this.#commit()
  }

  /** Ends a running job. */
  finish(id: JobId, result: JobResult = 'successful'): void {
    this.#workload.finish(id, result)
    this.#commit()
  }

  /** Cancels a job in any state. A job that has ended does not change. */
  cancel(id: JobId): void {
    this.#workload.cancel(this.#workload.table.find(id))
    this.#commit()
  }

  cancelAll(): void {
    for (const job of this.jobs.values()) this.#workload.cancel(job)
    this.#commit()
  }

  /** Starts or stops the queue: jobs of a stopped queue wait. */
  setStarted(queue: Queue, started: boolean, reason?: string): void {
    queue.started = started
    queue.stopReason = started ? undefined : reason
    this.#workload.unblock()
    this.#commit()
  }

  /** Enables or disables the queue for submission. This is only shown in answers: `submit` does not check it. */
  setEnabled(queue: Queue, enabled: boolean, reason?: string): void {
    queue.enabled = enabled
    queue.disableReason = enabled ? undefined : reason
    this.#commit()
  }

  advance(ms: number): void {
    this.tick(this.now + ms)
  }

  /**
   * Moves the clock forward, never back. Jobs whose time is over end, and waiting jobs start in their place.
   *
   * @param now milliseconds since the epoch, with fractions. A Date would cut the fraction off, and a change that is due at
   *   `now` would not happen
   */
  tick(now: number): void {
    this.#workload.tick(now)
    this.#publish()
  }

  #commitNodes(change: NodeChange | undefined): void {
    if (change === undefined) return
    this.#workload.unblock()
    this.#commit()
    this.emit('nodes', change)
  }

  #commit(): void {
    this.#workload.schedule()
    this.#revision += 1
    this.#publish()
  }

  #publish(): void {
    const transitions = this.#workload.table.takeTransitions()
    if (transitions.length === 0) return
    this.#revision += 1
    this.emit('jobs', transitions)
  }
}
