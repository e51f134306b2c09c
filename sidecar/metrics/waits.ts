// How long pending jobs have waited. Pure.
import { type Unknown, unknown } from '#reading/unknown.ts'

const NO_WAIT = unknown('Flux does not say when some pending jobs were submitted')

/**
 * The longest wait of the given share of the jobs that have waited least: of all for `share` 1.
 *
 * @param descending seconds, the longest first; `Infinity` if Flux does not say since when a job waits
 * @returns 0 if no job waits
 */
export function longestWait(descending: readonly number[], share: number): number | Unknown {
  if (descending[0] === Number.POSITIVE_INFINITY) return NO_WAIT
  const index = Math.max(0, descending.length - Math.ceil(share * descending.length))
  return descending[index] ?? 0
}
