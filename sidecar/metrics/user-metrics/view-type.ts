// Makes the types of objects in user expressions: their fields, each with its CEL type and how it is read. Which types there
// are is in snapshot-view.ts.
import type { Unknown } from '#reading/unknown.ts'

/** Thrown when an expression reads a value that is not known. */
export class UnknownError extends Error {
  override readonly name = 'UnknownError'
  readonly unknown: Unknown

  constructor(unknown: Unknown) {
    super(unknown.reason)
    this.unknown = unknown
  }
}

/** The CEL types that a field may have. */
type FieldType = 'int' | 'double' | 'string' | 'bool'

/** A field of an object. */
export interface Field<T> {
  readonly type: FieldType
  /** `undefined`: the object does not have the field, and `has()` is false. */
  read(subject: T): number | bigint | string | boolean | undefined
}

export type Fields<T> = Readonly<Record<string, Field<T>>>

/** A type of objects in expressions. */
interface ViewType<T> {
  readonly name: string
  readonly fields: Readonly<Record<string, FieldType>>
  /** Makes an object that shows `subject`. A field is converted each time it is read. */
  readonly ctor: new (
    subject: T,
  ) => object
}

/**
 * @param name the name of the type in error messages
 */
export function createType<T>(name: string, fields: Fields<T>): ViewType<T> {
  class View {
    readonly #subject: T

    constructor(subject: T) {
      this.#subject = subject
    }

    read({ type, read }: Field<T>) {
      const value = read(this.#subject)
      // An int of CEL has 64 bits, which only a bigint can hold.
      return type === 'int' && typeof value === 'number' ? BigInt(value) : value
    }
  }
  for (const [key, field] of Object.entries(fields)) {
    Object.defineProperty(View.prototype, key, {
      get(this: View) {
        return this.read(field)
      },
    })
  }
  const types = Object.entries(fields).map(([key, { type }]) => [key, type] as const)
  return { name, fields: Object.fromEntries(types), ctor: View }
}

export function int<T>(read: (subject: T) => number | bigint | undefined): Field<T> {
  return { type: 'int', read }
}

export function double<T>(read: (subject: T) => number | undefined): Field<T> {
  return { type: 'double', read }
}

export function string<T>(read: (subject: T) => string | undefined): Field<T> {
  return { type: 'string', read }
}

/** Integer fields that have the same names as in the snapshot. */
export function counts<Key extends string>(
  ...keys: readonly Key[]
): Fields<Readonly<Record<Key, number>>> {
  return Object.fromEntries(keys.map((key) => [key, int((subject) => subject[key])]))
}
