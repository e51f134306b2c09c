// A Flux instance as a pure model: nodes that come and go, queues, jobs served first come, first served. It has no
// timers (its owner moves the clock) and no wire format: test/support/broker makes answers of it.
import { EventEmitter } from 'node:events'
import type { Job, JobId, JobRequest, JobResult } from './job.ts'
import type { JobLatencies } from './latency.ts'
import { type Drain, Node } from './node.ts'
import { Queue } from './queue.ts'
import { type Transition, Workload } from './workload.ts'

export type { Job, JobId, JobRequest, JobResult } from './job.ts'

export interface InstanceOptions extends JobLatencies {
  /** Nodes in the resource set from the start, whether up or not: a MiniCluster's `maxSize`. */
  readonly maxSize: number
  /** Default: 8. */
  readonly coresPerNode?: number
  /** Default: 0. */
  readonly gpusPerNode?: number
  /** How many nodes are up, from rank 0 on. Default: all. */
  readonly up?: number
  /** Ranks that the configuration keeps from the scheduler. */
  readonly exclude?: readonly number[]
  /** Hosts are `<prefix>-<rank>`. Default: `flux-sample`. */
  readonly hostPrefix?: string
  /** Named queues and the ranks that have the property of that name. Default: the anonymous queue with all ranks. */
  readonly queues?: Readonly<Record<string, readonly number[]>>
  /** Start of the clock. Default: now. */
  readonly now?: Date
  /** How long a job whose node was lost stays in CLEANUP, its resources allocated: with a real pod some 25 s. */
  readonly lostPodCleanupMs?: number
  /** Which nodes are filled first. Default: `lowest`; Fluxion's own default is `highest`. */
  readonly fill?: 'lowest' | 'highest'
  /** Fails a job that asks for more nodes than are up, as Fluxion since 0.43 does with fcfs. Default: it waits. */
  readonly refusesMoreThanUp?: boolean
}

/** A change of nodes, named as the resource journal names it (RFC 44). */
export interface NodeChange {
  readonly name: 'online' | 'offline' | 'drain' | 'undrain'
  readonly ranks: readonly number[]
  readonly reason: string | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

interface InstanceEvents {
  nodes: [change: NodeChange]
  jobs: [transitions: readonly Transition[]]
}

/** One Flux instance. It emits `nodes` and `jobs` after each change, when the new state can be read. */
export class Instance extends EventEmitter<InstanceEvents> {
  readonly hostPrefix: string
  readonly nodes: readonly Node[]
  /** Named queues in the order given; empty if there is only the anonymous one. */
  readonly queues: ReadonlyMap<string, Queue>
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly #anonymous: Queue
  readonly #workload: Workload
  readonly #changes: NodeChange[] = []
  #revision = 0

  constructor(options: InstanceOptions) {
    super()
    this.setMaxListeners(0)
    const { maxSize, coresPerNode = 8, gpusPerNode = 0, up = maxSize, exclude = [] } = options
    const { hostPrefix = 'flux-sample', now = new Date() } = options
    this.hostPrefix = hostPrefix
    this.startedAt = now.getTime()
    this.nodes = Array.from({ length: maxSize }, (_, rank) => {
      const place = { rank, host: `${hostPrefix}-${rank}`, excluded: exclude.includes(rank) }
      const condition = { online: rank < up, now: this.startedAt }
      return new Node({ ...place, ...condition, cores: coresPerNode, gpus: gpusPerNode })
    })
    const queueOf = (name: string, has: (node: Node) => boolean) => {
      const nodes = this.nodes.filter((node) => !node.excluded && has(node))
      return new Queue(name, options.fill === 'highest' ? nodes.reverse() : nodes)
    }
    this.#anonymous = queueOf('', () => true)
    this.queues = new Map(
      Object.entries(options.queues ?? {}).map(([name, ranks]) => {
        const members = new Set(ranks)
        return [name, queueOf(name, ({ rank }) => members.has(rank))]
      }),
    )
    this.#workload = new Workload({
      nodes: this.nodes,
      queueOf: ({ queue }) => this.queue(queue),
      lostPodCleanupMs: options.lostPodCleanupMs,
      latencies: options,
      refusesMoreThanUp: options.refusesMoreThanUp ?? false,
      startedAt: this.startedAt,
    })
    const at = this.startedAt
    if (up > 0) this.#changes.push({ name: 'online', ranks: this.online, reason: undefined, at })
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#workload.now
  }

  /** Counts the changes, so that what was made of a state can be kept until the next one. */
  get revision(): number {
    return this.#revision
  }

  /** All jobs that were ever submitted, oldest first. */
  get jobs(): ReadonlyMap<JobId, Job> {
    return this.#workload.jobs
  }

  /** Jobs that wait, oldest first: in DEPEND, PRIORITY or SCHED. */
  get pending(): readonly Job[] {
    return this.#workload.pending
  }

  /** Jobs that run. */
  get running(): ReadonlySet<Job> {
    return this.#workload.running
  }

  /** How many jobs have not ended yet. */
  get active(): number {
    return this.#workload.active
  }

  /** When the clock will change a job next, in milliseconds since the epoch; `undefined` if it will not. */
  get nextDue(): number | undefined {
    return this.#workload.nextDue
  }

  /** What became of the nodes since the start, oldest first. */
  get changes(): readonly NodeChange[] {
    return this.#changes
  }

  /** Ranks that are up, ascending. */
  get online(): readonly number[] {
    return this.nodes.filter(({ online }) => online).map(({ rank }) => rank)
  }

  /** The queue of that name; without a name the anonymous one, which is there if no queue is named. */
  queue(name: string | undefined): Queue | undefined {
    if (this.queues.size > 0) return this.queues.get(name ?? '')
    return name === undefined ? this.#anonymous : undefined
  }

  up(...ranks: readonly number[]): void {
    const coming = this.#pick(ranks).filter(({ online }) => !online)
    for (const node of coming) {
      node.online = true
      node.seen = true
      node.changedAt = this.now
    }
    this.#commitNodes('online', coming)
  }

  /** The brokers of these ranks are gone, and with them the jobs that ran there. */
  down(...ranks: readonly number[]): void {
    const going = this.#pick(ranks).filter(({ online }) => online)
    for (const node of going) {
      node.online = false
      node.changedAt = this.now
    }
    this.#workload.lose(new Set(going))
    this.#commitNodes('offline', going)
  }

  /** Makes exactly the ranks below `size` be up, as resizing a MiniCluster does. */
  resize(size: number): void {
    const ranks = this.nodes.map(({ rank }) => rank)
    this.up(...ranks.slice(0, size))
    this.down(...ranks.slice(size))
  }

  drain(ranks: readonly number[], reason?: string): void {
    const nodes = this.#pick(ranks)
    const drain: Drain = { timestamp: this.now / 1000, reason }
    for (const node of nodes) node.drain = drain
    this.#commitNodes('drain', nodes, reason)
  }

  undrain(ranks: readonly number[]): void {
    const nodes = this.#pick(ranks)
    for (const node of nodes) node.drain = undefined
    this.#commitNodes('undrain', nodes)
  }

  /** @throws RangeError if there is no such queue, or the request makes no sense */
  submit(request: JobRequest = {}): Job {
    const job = this.#workload.submit(request)
    this.#commit()
    return job
  }

  /** What a job waited for in DEPEND has come. */
  release(id: JobId): void {
    this.#workload.release(id)
    this.#commit()
  }

  /** Ends a running job. */
  finish(id: JobId, result: JobResult = 'successful'): void {
    this.#workload.finish(id, result)
    this.#commit()
  }

  /** Cancels a job, running or not; one that has ended stays as it is. */
  cancel(id: JobId): void {
    this.#workload.cancel(this.#workload.find(id))
    this.#commit()
  }

  cancelAll(): void {
    for (const job of this.jobs.values()) this.#workload.cancel(job)
    this.#commit()
  }

  /** Lets the queue's jobs start, or not. */
  setStarted(queue: Queue, started: boolean, reason?: string): void {
    queue.started = started
    queue.stopReason = started ? undefined : reason
    this.#workload.unblock()
    this.#commit()
  }

  /** Lets jobs be submitted to the queue, or not: it is told to who asks, the model itself refuses none. */
  setEnabled(queue: Queue, enabled: boolean, reason?: string): void {
    queue.enabled = enabled
    queue.disableReason = enabled ? undefined : reason
    this.#commit()
  }

  advance(ms: number): void {
    this.tick(this.now + ms)
  }

  /**
   * Moves the clock, never back; jobs whose time has come end, and others start in their place.
   *
   * @param now milliseconds since the epoch, and fractions of them: no Date, which would cut them off and stop short of
   *   what is due
   */
  tick(now: number): void {
    this.#workload.tick(now)
    this.#publish()
  }

  #pick(ranks: readonly number[]): Node[] {
    return ranks.map((rank) => {
      const node = this.nodes[rank]
      if (node === undefined) throw new RangeError(`Cannot find rank ${rank}`)
      return node
    })
  }

  #commitNodes(name: NodeChange['name'], nodes: readonly Node[], reason?: string): void {
    if (nodes.length === 0) return
    const change = { name, ranks: nodes.map(({ rank }) => rank), reason, at: this.now }
    this.#changes.push(change)
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
    const transitions = this.#workload.takeTransitions()
    if (transitions.length === 0) return
    this.#revision += 1
    this.emit('jobs', transitions)
  }
}
