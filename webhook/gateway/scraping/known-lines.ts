// What was read from a line before. A thousand sidecars send the same names, labels and helps each time, and only the values differ:
// each is read once, and kept once. Bounded; strange lines are read anew. Pure but for that memory.
import { copyOf } from '#serving/text.ts'

/** A sidecar has 60 families and some hundred samples. User metrics add to them. */
const MAX_LINES = 2_048

/** Longer lines are rare, and would take the memory of many. */
const MAX_LENGTH = 256

export class KnownLines<Meaning> {
  readonly #read: (line: string) => Meaning
  readonly #known = new Map<string, Meaning>()

  /** @param read must return the same for the same line */
  constructor(read: (line: string) => Meaning) {
    this.#read = read
  }

  get(line: string): Meaning {
    const known = this.#known.get(line)
    if (known !== undefined) return known
    if (line.length > MAX_LENGTH) return this.#read(line)
    if (this.#known.size >= MAX_LINES) this.#known.clear()
    const copy = copyOf(line)
    const meaning = this.#read(copy)
    this.#known.set(copy, meaning)
    return meaning
  }
}
