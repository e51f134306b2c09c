// Idsets as texts that are not longer than a bound together: a thousand jobs on ranks far apart would make megabytes. Pure.
import { formatIdset, type Idset } from '#flux/sets/idset.ts'

export class IdsetTexts {
  #left: number

  /** @param length of all texts */
  constructor(length: number) {
    this.#left = length
  }

  /** @returns `undefined` if the texts would become too long */
  format(set: Idset): string | undefined {
    // A range has at least a digit and a comma.
    if (2 * set.ranges.length > this.#left) return undefined
    const text = formatIdset(set)
    if (text.length > this.#left) return undefined
    this.#left -= text.length
    return text
  }
}
