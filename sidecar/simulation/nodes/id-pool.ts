// The cores or the GPUs of one simulated node: which of their ids are free, reserved and taken. It has no reference to jobs.
import { idsetOf } from '#flux/sets/id-list.ts'
import { EMPTY_IDSET, formatIdset, type Idset } from '#flux/sets/idset.ts'

const FREE = 0
const RESERVED = 1
const TAKEN = 2

/** The ids from 0 to `size` - 1. A reserved id is not free, and Flux does not show it as allocated. */
export class IdPool {
  readonly size: number
  readonly text: string
  readonly #states: Uint8Array
  #free: number
  #takenIds: Idset | undefined = EMPTY_IDSET
  #takenText: string | undefined = ''

  constructor(size: number) {
    this.size = size
    this.text = size === 0 ? '' : size === 1 ? '0' : `0-${size - 1}`
    this.#states = new Uint8Array(size)
    this.#free = size
  }

  get free(): number {
    return this.#free
  }

  /** The taken ids. */
  get takenIds(): Idset {
    this.#takenIds ??= idsetOf(this.#list(TAKEN))
    return this.#takenIds
  }

  /** The taken ids as RFC 22 writes them. */
  get takenText(): string {
    this.#takenText ??= formatIdset(this.takenIds)
    return this.#takenText
  }

  /** Reserves the lowest free ids. */
  reserve(count: number): readonly number[] {
    const ids = this.#list(FREE).slice(0, count)
    this.#set(ids, RESERVED)
    return ids
  }

  /** Takes reserved or free ids. @throws RangeError for an id that is taken */
  take(ids: readonly number[]): void {
    for (const id of ids) {
      if (this.#states[id] === TAKEN)
        throw new RangeError(`Cannot take id ${id}: it is already taken`)
    }
    this.#set(ids, TAKEN)
  }

  release(ids: readonly number[]): void {
    this.#set(ids, FREE)
  }

  #list(state: number): number[] {
    const ids: number[] = []
    for (const [id, each] of this.#states.entries()) if (each === state) ids.push(id)
    return ids
  }

  #set(ids: readonly number[], state: number): void {
    for (const id of ids) {
      this.#free += Number(state === FREE) - Number(this.#states[id] === FREE)
      this.#states[id] = state
    }
    this.#takenIds = undefined
    this.#takenText = undefined
  }
}
