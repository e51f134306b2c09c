// Idsets as lists of single ids. Only for ids with a known limit: the ranks of R, or the cores of a node. Sets from outside
// stay ranges (idset.ts).
import { EMPTY_IDSET, type IdRange, type Idset, joinRanges } from './idset.ts'

/** The ids of a set, ascending. */
export function listIds({ ranges }: Idset): Int32Array {
  const ids = new Int32Array(ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0))
  let at = 0
  for (const { first, last } of ranges) for (let id = first; id <= last; id += 1) ids[at++] = id
  return ids
}

/** The set of these ids. They must ascend. */
export function idsetOf(ascending: readonly number[]): Idset {
  return joinRanges(ascending.map((id) => ({ first: id, last: id })))
}

/** The set of ids that are marked (not 0). */
export function toIdset(marks: Uint8Array): Idset {
  const ranges: IdRange[] = []
  for (let id = 0; id < marks.length; id += 1) {
    if (marks[id] === 0) continue
    const first = id
    while (marks[id + 1] === 1) id += 1
    ranges.push({ first, last: id })
  }
  return ranges.length === 0 ? EMPTY_IDSET : { ranges }
}
