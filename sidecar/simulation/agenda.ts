// What is to happen and when, on a clock that jumps from one event to the next.

interface Entry {
  readonly at: number
  /** Entries of the same time happen in the order in which they were added. */
  readonly turn: number
  readonly act: () => void
}

/** Events to come. */
export class Agenda {
  /** The next one is last. */
  readonly #entries: Entry[] = []
  #turn = 0

  /** When the next event is, in milliseconds; `undefined` if there is none. */
  get nextAt(): number | undefined {
    return this.#entries.at(-1)?.at
  }

  /** @param at milliseconds; what lies in the past happens next */
  add(at: number, act: () => void): void {
    const entry = { at, turn: this.#turn, act }
    this.#turn += 1
    let index = this.#entries.length
    while (index > 0 && isBefore(this.#entries[index - 1], entry)) index -= 1
    this.#entries.splice(index, 0, entry)
  }

  /** Lets the next event happen. */
  next(): void {
    this.#entries.pop()?.act()
  }
}

function isBefore(entry: Entry | undefined, other: Entry): boolean {
  if (entry === undefined) return false
  return entry.at < other.at || (entry.at === other.at && entry.turn < other.turn)
}
