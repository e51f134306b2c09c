// The nodes below the pods: bought when a pod fits nowhere, and given back when they have been empty for a while, as node
// autoscalers do. No pod is moved to another node: the webhook protects the pods of MiniClusters from that.
import type { Agenda } from '#simulation/agenda.ts'

export interface NodePoolOptions {
  /** From the order of a node until pods start there, in milliseconds. */
  readonly bootMs: number
  /** How long an empty node is kept, in milliseconds. */
  readonly keepMs: number
  /** How many pods share a node. */
  readonly podsPerNode: number
}

/** Nodes that are there at once, one for each pod, and go with it. */
export const AT_ONCE: NodePoolOptions = { bootMs: 0, keepMs: 0, podsPerNode: 1 }

interface Node {
  readonly readyAt: number
  readonly pods: Set<number>
}

interface Clock {
  readonly agenda: Agenda
  now(): number
}

export class NodePool {
  readonly #options: NodePoolOptions
  readonly #clock: Clock
  readonly #available: number
  readonly #nodes = new Set<Node>()
  readonly #nodeOf = new Map<number, Node>()
  /** When a node became empty last. */
  readonly #emptiedAt = new WeakMap<Node, number>()

  /** @param available how many nodes can be had at most */
  constructor(options: NodePoolOptions, clock: Clock, available = Number.POSITIVE_INFINITY) {
    this.#options = options
    this.#clock = clock
    this.#available = available
  }

  /** Nodes that cost money: those that boot and those that are empty, too. */
  get count(): number {
    return this.#nodes.size
  }

  /** Whether a node has no pod and will be given back. */
  get hasEmpty(): boolean {
    return [...this.#nodes].some(({ pods }) => pods.size === 0)
  }

  /** Puts a pod on a node that is there. */
  placeNow(index: number): void {
    this.#add(index, this.#roomy() ?? this.#buy(this.#clock.now()))
  }

  /** Puts a pod on a node. @returns when the pod can start there; `undefined` if there is no node for it */
  place(index: number): number | undefined {
    const now = this.#clock.now()
    const roomy = this.#roomy()
    if (roomy === undefined && this.#nodes.size >= this.#available) return undefined
    const node = roomy ?? this.#buy(now + this.#options.bootMs)
    this.#add(index, node)
    return Math.max(now, node.readyAt)
  }

  /** The pod is gone. */
  remove(index: number): void {
    const node = this.#nodeOf.get(index)
    this.#nodeOf.delete(index)
    node?.pods.delete(index)
    if (node === undefined || node.pods.size > 0) return
    const { keepMs } = this.#options
    if (keepMs === 0) this.#nodes.delete(node)
    else this.#giveBackAt(node, this.#clock.now() + keepMs)
  }

  /** The node that has been there for longest: its pods are the least likely to end. */
  #roomy(): Node | undefined {
    const { podsPerNode } = this.#options
    return [...this.#nodes].find(({ pods }) => pods.size < podsPerNode)
  }

  #buy(readyAt: number): Node {
    const node = { readyAt, pods: new Set<number>() }
    this.#nodes.add(node)
    return node
  }

  #add(index: number, node: Node): void {
    node.pods.add(index)
    this.#nodeOf.set(index, node)
  }

  #giveBackAt(node: Node, at: number): void {
    const emptiedAt = this.#clock.now()
    this.#emptiedAt.set(node, emptiedAt)
    this.#clock.agenda.add(at, () => {
      if (node.pods.size === 0 && this.#emptiedAt.get(node) === emptiedAt) this.#nodes.delete(node)
    })
  }
}
