// The cores, or the GPUs, of one simulated node: which of their ids are taken. Knows nothing of jobs.
import { idsetOf } from '#flux/id-list.ts'
import { EMPTY_IDSET, formatIdset, type Idset } from '#flux/idset.ts'

/** Writes ascending ids as an idset (RFC 22), `"0-3,5"`. */
export function formatIds(ascending: readonly number[]): string {
  return formatIdset(idsetOf(ascending))
}

/** The ids from 0 to `size` - 1. */
export class IdPool {
  readonly size: number
  readonly text: string
  readonly #taken: Uint8Array
  #free: number
  #takenIds: Idset | undefined = EMPTY_IDSET
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

  /** The taken ids. */
  get takenIds(): Idset {
    this.#takenIds ??= idsetOf(this.#list((taken) => taken === 1))
    return this.#takenIds
  }

  /** The taken ids as RFC 22 writes them. */
  get takenText(): string {
    this.#takenText ??= formatIdset(this.takenIds)
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
    this.#takenIds = undefined
    this.#takenText = undefined
  }
}
