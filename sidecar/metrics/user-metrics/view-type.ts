// Types of objects in the expressions of users: fields, each with its type and how it is read. Knows nothing of Flux.
import type { Unknown } from '#reading/unknown.ts'

/** Thrown where an expression asks for what is not known. */
export class UnknownError extends Error {
  override readonly name = 'UnknownError'
  readonly unknown: Unknown

  constructor(unknown: Unknown) {
    super(unknown.reason)
    this.unknown = unknown
  }
}

/** Types of the Common Expression Language that a field may have. */
type FieldType = 'int' | 'double' | 'string' | 'bool'

/** What a field is, and how it is read; `undefined` is absent, as `has()` finds it. */
export interface Field<T> {
  readonly type: FieldType
  read(subject: T): number | bigint | string | boolean | undefined
}

export type Fields<T> = Readonly<Record<string, Field<T>>>

/** A type of objects in expressions. */
export interface ViewType<T> {
  readonly name: string
  /** Types of the fields. */
  readonly fields: Readonly<Record<string, FieldType>>
  /** Makes an object out of what it shows. A field is converted when it is asked for. */
  readonly ctor: new (
    subject: T,
  ) => object
}

/**
 * Makes a type.
 *
 * @param name as error messages have it
 */
export function createType<T>(name: string, fields: Fields<T>): ViewType<T> {
  class View {
    readonly #subject: T

    constructor(subject: T) {
      this.#subject = subject
    }

    read({ type, read }: Field<T>) {
      const value = read(this.#subject)
      // CEL has integers of 64 bits, which only a bigint holds.
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

/** Counts under the names that they have in the snapshot. */
export function counts<Key extends string>(
  ...keys: readonly Key[]
): Fields<Readonly<Record<Key, number>>> {
  return Object.fromEntries(keys.map((key) => [key, int((subject) => subject[key])]))
}
