// A text of the input with its name, and `file:line:column` of an offset in it.

/** A path through maps and lists. */
export type Path = readonly PropertyKey[]

export class Source {
  readonly name: string
  readonly text: string
  /** Offsets at which lines begin, found when the first place is asked for: files are large, and few have problems. */
  #lines: readonly number[] | undefined

  constructor(name: string, text: string) {
    this.name = name
    this.text = text
  }

  /** `file:line:column` */
  placeOf(offset: number): string {
    this.#lines ??= [0, ...[...this.text.matchAll(/\n/g)].map(({ index }) => index + 1)]
    const lines = this.#lines
    let [first, after] = [0, lines.length]
    while (after - first > 1) {
      const middle = (first + after) >> 1
      if ((lines[middle] ?? 0) <= offset) first = middle
      else after = middle
    }
    return `${this.name}:${first + 1}:${offset - (lines[first] ?? 0) + 1}`
  }
}

/** A value of the input that was parsed alone: a YAML document, or one of several JSON values. */
export interface Piece {
  readonly value: unknown
  /** `file:line:column` of a value in it, or of the nearest value around it. */
  placeOf(path: Path): string
}
