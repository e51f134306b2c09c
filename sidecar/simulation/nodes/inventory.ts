// The nodes of a simulated Flux instance: which are up and drained, and the history of these changes. What the changes mean
// for jobs is in workload.ts.
import type { Drain, Node } from './node.ts'

/** A change of nodes, with the name of the event in the resource journal (RFC 44). */
export interface NodeChange {
  readonly name: 'online' | 'offline' | 'drain' | 'undrain'
  readonly ranks: readonly number[]
  readonly reason: string | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Each method returns the change that it made, or `undefined` if there was nothing to change. */
export class Inventory {
  readonly nodes: readonly Node[]
  readonly #changes: NodeChange[] = []

  /** @param now milliseconds since the epoch, as in all methods */
  constructor(nodes: readonly Node[], now: number) {
    this.nodes = nodes
    const online = nodes.filter((node) => node.online)
    this.#record({ name: 'online', nodes: online, now })
  }

  /** All changes since the start, oldest first. */
  get changes(): readonly NodeChange[] {
    return this.#changes
  }

  up(ranks: readonly number[], now: number): NodeChange | undefined {
    const nodes = this.nodesOf(ranks).filter(({ online }) => !online)
    for (const node of nodes) {
      node.online = true
      node.wasOnline = true
      node.changedAt = now
    }
    return this.#record({ name: 'online', nodes, now })
  }

  down(ranks: readonly number[], now: number): NodeChange | undefined {
    const nodes = this.nodesOf(ranks).filter(({ online }) => online)
    for (const node of nodes) {
      node.online = false
      node.changedAt = now
    }
    return this.#record({ name: 'offline', nodes, now })
  }

  drain(ranks: readonly number[], reason: string | undefined, now: number): NodeChange | undefined {
    const nodes = this.nodesOf(ranks)
    const drain: Drain = { timestamp: now / 1000, reason }
    for (const node of nodes) node.drain = drain
    return this.#record({ name: 'drain', nodes, reason, now })
  }

  undrain(ranks: readonly number[], now: number): NodeChange | undefined {
    const nodes = this.nodesOf(ranks)
    for (const node of nodes) node.drain = undefined
    return this.#record({ name: 'undrain', nodes, now })
  }

  /** @throws RangeError if there is no such rank */
  nodesOf(ranks: readonly number[]): Node[] {
    return ranks.map((rank) => {
      const node = this.nodes[rank]
      if (node === undefined) throw new RangeError(`Cannot find rank ${rank}`)
      return node
    })
  }

  #record(done: {
    readonly name: NodeChange['name']
    readonly nodes: readonly Node[]
    readonly reason?: string | undefined
    readonly now: number
  }): NodeChange | undefined {
    const { name, nodes, reason, now } = done
    if (nodes.length === 0) return undefined
    const change = { name, ranks: nodes.map(({ rank }) => rank), reason, at: now }
    this.#changes.push(change)
    return change
  }
}
