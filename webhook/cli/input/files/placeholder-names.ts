// Names for objects that have `generateName` alone. The API server makes the end of such a name when it creates the object: until
// then `*` stands for it, as in the names of pods.

/** The API server takes so many characters of `generateName`, and adds five. */
const MAX_BASE = 58

/** The metadata of an object. */
interface Unchecked {
  readonly name?: unknown
  readonly generateName?: unknown
}

export class PlaceholderNames {
  readonly #made = new Map<string, number>()

  /** @returns `undefined` for an object that has a name, or nothing to make one of */
  next({ name, generateName }: Unchecked): string | undefined {
    if (name !== undefined && name !== null && name !== '') return undefined
    if (typeof generateName !== 'string' || generateName === '') return undefined
    const base = `${generateName.slice(0, MAX_BASE)}*`
    const count = (this.#made.get(base) ?? 0) + 1
    this.#made.set(base, count)
    // Each object gets another name.
    return count === 1 ? base : `${base}${count}`
  }
}

/** No real name has a `*`. */
export function isPlaceholder(name: unknown): boolean {
  return typeof name === 'string' && name.includes('*')
}
