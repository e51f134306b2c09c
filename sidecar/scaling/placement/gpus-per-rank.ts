// How many GPUs ranks of R have. Pure.
import { countIds } from '#flux/sets/idset.ts'
import type { ResourceSet } from '#flux/sets/resource-set.ts'

/** The most GPUs that a rank has. */
export function mostGpusIn({ segments }: ResourceSet): number {
  return segments.reduce((most, segment) => Math.max(most, countIds(segment.gpus)), 0)
}

/** The fewest GPUs that a rank with GPUs has. */
export function fewestGpusIn({ segments }: ResourceSet): number {
  const counts = segments.map(({ gpus }) => countIds(gpus)).filter((count) => count > 0)
  return counts.reduce((fewest, count) => Math.min(fewest, count), Number.POSITIVE_INFINITY)
}
