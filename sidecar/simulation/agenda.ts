// Future events and their times, for a clock that jumps from one event to the next.

interface Entry {
  readonly at: number
  /** Events of the same time happen in the order in which they were added. */
  readonly order: number
  readonly act: () => void
}

export class Agenda {
  /** The next event is the last entry. */
  readonly #entries: Entry[] = []
  #added = 0

  /** When the next event happens, in milliseconds. `undefined` if there is none. */
  get nextAt(): number | undefined {
    return this.#entries.at(-1)?.at
  }

  /** @param at milliseconds. An event in the past happens next */
  add(at: number, act: () => void): void {
    const entry = { at, order: this.#added, act }
    this.#added += 1
    let index = this.#entries.length
    while (index > 0 && isBefore(this.#entries[index - 1], entry)) index -= 1
    this.#entries.splice(index, 0, entry)
  }

  /** Runs the next event. */
  next(): void {
    this.#entries.pop()?.act()
  }
}

function isBefore(entry: Entry | undefined, other: Entry): boolean {
  if (entry === undefined) return false
  return entry.at < other.at || (entry.at === other.at && entry.order < other.order)
}
