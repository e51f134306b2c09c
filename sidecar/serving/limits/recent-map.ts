// A map of bounded size: the entry that was used longest ago makes room for a new one.

export class RecentMap<Key, Value> {
  readonly #entries = new Map<Key, Value>()
  readonly #size: number

  constructor(size: number) {
    this.#size = size
  }

  /** The value of a key, which counts as used. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key)
    if (value !== undefined) this.set(key, value)
    return value
  }

  /** All of them, the one that was used longest ago first. None counts as used. */
  entries(): IterableIterator<[Key, Value]> {
    return this.#entries.entries()
  }

  delete(key: Key): void {
    this.#entries.delete(key)
  }

  /** Deletes those that are over, the one that was used longest ago first, up to the first one that is not. */
  deleteOver(isOver: (value: Value) => boolean): void {
    for (const [key, value] of this.#entries) {
      if (!isOver(value)) return
      this.#entries.delete(key)
    }
  }

  set(key: Key, value: Value): void {
    // A Map keeps the order in which its keys were added.
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size <= this.#size) return
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest)
      return
    }
  }
}
