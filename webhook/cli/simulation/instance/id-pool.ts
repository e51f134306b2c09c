// The cores, or the GPUs, of one simulated node: which of their ids are taken. Knows nothing of jobs.
import { formatIdset, joinRanges } from '#flux/idset.ts'

/** Writes ascending ids as an idset (RFC 22), `"0-3,5"`. */
export function formatIds(ascending: readonly number[]): string {
  return formatIdset(joinRanges(ascending.map((id) => ({ first: id, last: id }))))
}

/** The ids from 0 to `size` - 1. */
export class IdPool {
  readonly size: number
  readonly text: string
  readonly #taken: Uint8Array
  #free: number
  #takenText: string | undefined = ''

  constructor(size: number) {
    this.size = size
    this.text = size === 0 ? '' : size === 1 ? '0' : `0-${size - 1}`
    this.#taken = new Uint8Array(size)
    this.#free = size
  }

  get free(): number {
    return this.#free
  }

  /** The taken ids as an idset. */
  get takenText(): string {
    this.#takenText ??= formatIds(this.#list((taken) => taken === 1))
    return this.#takenText
  }

  /** Takes the lowest free ids. */
  take(count: number): readonly number[] {
    const ids = this.#list((taken) => taken === 0).slice(0, count)
    this.claim(ids)
    return ids
  }

  /** Takes exactly these ids. */
  claim(ids: readonly number[]): void {
    for (const id of ids) {
      if (this.#taken[id] !== 0) throw new RangeError(`Cannot take id ${id}: it is not free`)
      this.#taken[id] = 1
    }
    this.#changed(-ids.length)
  }

  giveBack(ids: readonly number[]): void {
    for (const id of ids) this.#taken[id] = 0
    this.#changed(ids.length)
  }

  #list(isWanted: (taken: number) => boolean): number[] {
    const ids: number[] = []
    for (const [id, taken] of this.#taken.entries()) if (isWanted(taken)) ids.push(id)
    return ids
  }

  #changed(by: number): void {
    this.#free += by
    this.#takenText = undefined
  }
}
