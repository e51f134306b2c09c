// What is known of one thing in a cluster: it was read, it is not there, or why it is not known. Pure.

/** A thing that could not be read. */
export interface Unread {
  readonly kind: 'unread'
  /** The thing: `APIService v1beta2.custom.metrics.k8s.io`. */
  readonly what: string
  /** In the words of kubectl. */
  readonly why: string
  /** Whether the user may not read it. If not, nobody answered, or the answer makes no sense. */
  readonly isForbidden: boolean
}

export type Reading<T> = { readonly kind: 'read'; readonly value: T } | Absent | Unread

/** A thing that is not there. */
export interface Absent {
  readonly kind: 'absent'
  /** In the words of the server; `undefined` if nobody was asked about it by its name. */
  readonly why?: string
}

export const ABSENT: Absent = { kind: 'absent' }

export function read<T>(value: T): Reading<T> {
  return { kind: 'read', value }
}

/** An answer that makes no sense. */
export function senseless(what: string, why: string): Unread {
  return { kind: 'unread', what, why, isForbidden: false }
}

/**
 * What follows from a value that was read.
 *
 * @param convert returns `undefined` for a value of another shape than the API's
 */
export function mapReading<T, U>(
  reading: Reading<T>,
  what: string,
  convert: (value: T) => U | undefined,
): Reading<U> {
  if (reading.kind !== 'read') return reading
  const value = convert(reading.value)
  return value === undefined ? senseless(what, 'it has an unexpected shape') : read(value)
}

/** Reads what hangs on something else: of something that is absent or not known, it is so too. */
export async function readNext<T, U>(
  reading: Reading<T>,
  next: (value: T) => Promise<Reading<U>>,
): Promise<Reading<U>> {
  return reading.kind === 'read' ? next(reading.value) : reading
}

/** @returns `undefined` if it is absent or not known */
export function knownOf<T>(reading: Reading<T>): T | undefined {
  return reading.kind === 'read' ? reading.value : undefined
}

/** @returns `undefined` if it was read, or is absent */
export function unreadOf(reading: Reading<unknown>): Unread | undefined {
  return reading.kind === 'unread' ? reading : undefined
}
