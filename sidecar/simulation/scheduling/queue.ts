// A queue of a simulated Flux instance: its nodes, and whether it accepts and starts jobs. Its jobs are in workload.ts.
import type { Node } from '../nodes/node.ts'

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
