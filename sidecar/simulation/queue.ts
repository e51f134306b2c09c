// A queue of a simulated Flux instance: the nodes it may use, and whether it takes and starts jobs.
import type { Node } from './node.ts'

export class Queue {
  /** Empty for the anonymous queue. */
  readonly name: string
  /** In the order in which they are filled. */
  readonly nodes: readonly Node[]
  started = true
  enabled = true
  stopReason: string | undefined
  disableReason: string | undefined

  constructor(name: string, nodes: readonly Node[]) {
    this.name = name
    this.nodes = nodes
  }
}
