// Suggests known names for an unknown one. Pure.

/** A longer name is not a typing error, and comparing it would cost time. */
const MAX_LENGTH = 64

const MAX_NAMES = 3

/**
 * The known names closest to `name`, nearest first: at most three. A known name is left out if it differs from `name` in
 * more than a third of the characters, or in two characters more than the nearest one does.
 */
export function nearestNames(name: string, known: readonly string[]): readonly string[] {
  if (name.length > MAX_LENGTH) return []
  const candidates = known.map((candidate) => ({
    candidate,
    distance: editDistance(name, candidate),
  }))
  const nearest = Math.min(...candidates.map(({ distance }) => distance))
  const limit = Math.min(Math.max(1, Math.floor(name.length / 3)), nearest + 1)
  return candidates
    .filter(({ distance }) => distance <= limit)
    .sort((one, other) => one.distance - other.distance)
    .slice(0, MAX_NAMES)
    .map(({ candidate }) => candidate)
}

/** How many characters to insert, delete, replace or swap with a neighbour to get from one text to the other. */
function editDistance(from: string, to: string): number {
  let before: readonly number[] = []
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 0; i < from.length; i += 1) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j += 1) {
      const replaced = at(row, j) + (from[i] === to[j] ? 0 : 1)
      const isSwap = from[i] === to[j - 1] && from[i - 1] === to[j]
      const swapped = isSwap ? at(before, j - 1) + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(replaced, swapped, at(row, j + 1) + 1, at(next, j) + 1))
    }
    before = row
    row = next
  }
  return at(row, to.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
