// Numbers in a row, in which the next one that is large enough is found without looking at all of them: a tree of maxima.

export class MaxTree {
  readonly #leaves: number
  /** The children of node n are 2n and 2n + 1; the leaves stand at the end. */
  readonly #nodes: Int32Array

  constructor(values: Int32Array) {
    let leaves = 1
    while (leaves < values.length) leaves *= 2
    this.#leaves = leaves
    this.#nodes = new Int32Array(2 * leaves).fill(-1)
    this.#nodes.set(values, leaves)
    for (let node = leaves - 1; node > 0; node -= 1) this.#nodes[node] = this.#highestBelow(node)
  }

  set(index: number, value: number): void {
    let node = this.#leaves + index
    this.#nodes[node] = value
    for (node >>= 1; node > 0; node >>= 1) {
      const highest = this.#highestBelow(node)
      if (this.#nodes[node] === highest) return
      this.#nodes[node] = highest
    }
  }

  /** The first index from `from` on whose number is at least `least`; −1 if there is none. */
  find(from: number, least: number): number {
    if (from >= this.#leaves) return -1
    let node = this.#leaves + from
    while (this.#at(node) < least) {
      // Up from right children, then over to the right.
      while (node % 2 === 1) node >>= 1
      if (node === 0) return -1
      node += 1
    }
    while (node < this.#leaves) {
      node *= 2
      if (this.#at(node) < least) node += 1
    }
    return node - this.#leaves
  }

  #highestBelow(node: number): number {
    return Math.max(this.#at(2 * node), this.#at(2 * node + 1))
  }

  #at(node: number): number {
    return this.#nodes[node] ?? -1
  }
}
