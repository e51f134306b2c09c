// Future events and their times, for a clock that jumps from one event to the next.

interface Entry {
  readonly at: number
  /** Events of the same time happen in the order in which they were added. */
  readonly order: number
  readonly act: () => void
}

export class Agenda {
  /** A binary heap: no entry happens before the one at half its index, counted from 1. */
  readonly #heap: Entry[] = []
  #added = 0

  /** When the next event happens, in milliseconds. `undefined` if there is none. */
  get nextAt(): number | undefined {
    return this.#heap[0]?.at
  }

  /** @param at milliseconds. An event in the past happens next */
  add(at: number, act: () => void): void {
    const entry = { at, order: this.#added, act }
    this.#added += 1
    let index = this.#heap.length
    while (index > 0) {
      const above = (index - 1) >> 1
      const other = this.#heap[above]
      if (other === undefined || isBefore(other, entry)) break
      this.#heap[index] = other
      index = above
    }
    this.#heap[index] = entry
  }

  /** Runs the next event. */
  next(): void {
    const [first] = this.#heap
    const last = this.#heap.pop()
    if (first === undefined || last === undefined) return
    if (first !== last) this.#sink(last)
    first.act()
  }

  /** Puts an entry in the place of the first one. */
  #sink(entry: Entry): void {
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      const [left, right] = [this.#heap[below], this.#heap[below + 1]]
      if (left === undefined) break
      const isRight = right !== undefined && isBefore(right, left)
      if (isRight) below += 1
      const next = isRight ? right : left
      if (isBefore(entry, next)) break
      this.#heap[index] = next
      index = below
    }
    this.#heap[index] = entry
  }
}

function isBefore(entry: Entry, other: Entry): boolean {
  return entry.at < other.at || (entry.at === other.at && entry.order < other.order)
}
