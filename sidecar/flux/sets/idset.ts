// Sets of ids as Flux writes them, such as ranks "0-3,5" (RFC 22). They are kept as ranges and never expanded: the
// cost of every operation depends on the length of the text, not on the number of ids. The caller knows what the ids mean.
import { IdScanner } from './id-scanner.ts'

/** The ids from `first` to `last`, both included. */
export interface IdRange {
  readonly first: number
  readonly last: number
}

/** A set of ids. Its ranges ascend, and do not overlap or touch. So equal sets have equal ranges. */
export interface Idset {
  readonly ranges: readonly IdRange[]
}

export const EMPTY_IDSET: Idset = { ranges: [] }

/** The ids from `first` to `end` - 1. */
export function idsBetween(first: number, end: number): Idset {
  return first >= end ? EMPTY_IDSET : { ranges: [{ first, last: end - 1 }] }
}

/**
 * Reads an idset (RFC 22): `""`, `"0-3,5"`, or the same in brackets, as `job-list` writes it.
 *
 *     idset = [ list ] / "[" [ list ] "]"
 *     list  = range *( "," range )
 *     range = id [ "-" id ]
 *
 * No Flux writes `"5,3"`, `"9-7"`, `"5-5"`, `"1,1"` or `"05"`, which older releases read, or `"1,,2"`, which all read. Such a text
 * is damaged, and its count could be wrong.
 *
 * @throws FluxError `FLUX_PROTOCOL`
 */
export function parseIdset(text: string): Idset {
  const scanner = new IdScanner('idset', text)
  const bracketed = scanner.take('[')
  const ranges: IdRange[] = []
  if (bracketed ? !scanner.isAt(']') : !scanner.isAtEnd) {
    let lowest = 0
    do {
      const first = parseId(scanner, lowest)
      const last = scanner.take('-') ? parseId(scanner, first + 1) : first
      append(ranges, first, last)
      lowest = last + 1
    } while (scanner.take(','))
  }
  if (bracketed && !scanner.take(']')) throw scanner.expected('"," or "]"')
  if (!scanner.isAtEnd) throw scanner.expected('"," or the end')
  return ranges.length === 0 ? EMPTY_IDSET : { ranges }
}

function parseId(scanner: IdScanner, lowest: number): number {
  const id = scanner.takeId()
  if (scanner.isPadded) throw scanner.expectedId('an id without leading zeros')
  if (id < lowest) throw scanner.expectedId(`an id of at least ${lowest}`)
  return id
}

/** Writes an idset in its shortest form: ranges where possible, no brackets. */
export function formatIdset(set: Idset): string {
  return set.ranges
    .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
    .join(',')
}

/** The number of ids in the set: at most 2^32. */
export function countIds(set: Idset): number {
  let count = 0
  for (const { first, last } of set.ranges) count += last - first + 1
  return count
}

export function isEmpty(set: Idset): boolean {
  return set.ranges.length === 0
}

/** The highest id. `undefined` for an empty set. */
export function highestId(set: Idset): number | undefined {
  return set.ranges.at(-1)?.last
}

export function hasId(set: Idset, id: number): boolean {
  const { ranges } = set
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const range = ranges[middle]
    if (range === undefined || id < range.first) high = middle
    else if (id > range.last) low = middle + 1
    else return true
  }
  return false
}

export function unionIdsets(a: Idset, b: Idset): Idset {
  if (isEmpty(b)) return a
  return isEmpty(a) ? b : select(a, b, () => true)
}

/** The ids of `a` that are not in `b`. */
export function subtractIdsets(a: Idset, b: Idset): Idset {
  return isEmpty(b) ? a : select(a, b, (inA, inB) => inA && !inB)
}

export function intersectIdsets(a: Idset, b: Idset): Idset {
  return select(a, b, (inA, inB) => inA && inB)
}

function select(a: Idset, b: Idset, isWanted: (inA: boolean, inB: boolean) => boolean): Idset {
  const ranges: IdRange[] = []
  sweep(a.ranges, b.ranges, (first, last, left, right) => {
    if (isWanted(left !== undefined, right !== undefined)) append(ranges, first, last)
  })
  return ranges.length === 0 ? EMPTY_IDSET : { ranges }
}

/** The set of all ids in these ranges. They must ascend and not overlap, but may touch. */
export function joinRanges(ascending: readonly IdRange[]): Idset {
  const ranges: IdRange[] = []
  for (const { first, last } of ascending) append(ranges, first, last)
  return ranges.length === 0 ? EMPTY_IDSET : { ranges }
}

/** Adds ids that are higher than all others. If they touch the last range, they extend it. */
function append(ranges: IdRange[], first: number, last: number): void {
  const previous = ranges.at(-1)
  if (previous !== undefined && previous.last + 1 === first) {
    ranges[ranges.length - 1] = { first: previous.first, last }
  } else {
    ranges.push({ first, last })
  }
}

/**
 * Walks through two lists of ascending disjoint ranges together. Each part of the id space that lies in one range of `a`, in
 * one range of `b`, or in both, is passed to `visit`, in ascending order.
 */
export function sweep<A extends IdRange, B extends IdRange>(
  a: readonly A[],
  b: readonly B[],
  visit: (first: number, last: number, left: A | undefined, right: B | undefined) => void,
): void {
  let i = 0
  let j = 0
  let next = 0
  let left = a[0]
  let right = b[0]
  while (left !== undefined || right !== undefined) {
    const leftFirst = left?.first ?? Number.POSITIVE_INFINITY
    const rightFirst = right?.first ?? Number.POSITIVE_INFINITY
    const first = Math.max(next, Math.min(leftFirst, rightFirst))
    const inLeft = left !== undefined && left.first <= first ? left : undefined
    const inRight = right !== undefined && right.first <= first ? right : undefined
    const last = Math.min(inLeft?.last ?? leftFirst - 1, inRight?.last ?? rightFirst - 1)
    visit(first, last, inLeft, inRight)
    next = last + 1
    if (inLeft?.last === last) left = a[++i]
    if (inRight?.last === last) right = b[++j]
  }
}
