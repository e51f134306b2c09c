// What an HPA did in a sync, in a few words for people.
import type { Outcome } from './limits.ts'

/** What the metrics asked for, and what became of it. */
export interface Step {
  readonly before: number
  readonly proposal: number
  readonly outcome: Outcome
}

/** `grow to 6, on the way to 9`, `hold: stabilizing, then 3`. */
export function reasonFor({ before, proposal, outcome }: Step): string {
  const { replicas, wanted, limit } = outcome
  const verb = replicas > before ? 'grow' : 'shrink'
  const what = replicas === before ? 'hold' : `${verb} to ${replicas}`
  if (limit === 'TooManyReplicas') return `${what}: ${wanted} is above maxReplicas`
  if (limit === 'TooFewReplicas') return `${what}: ${wanted} is below minReplicas`
  if (limit !== 'DesiredWithinRange') {
    return replicas === before
      ? `hold: policies keep it from ${wanted}`
      : `${what}, on the way to ${wanted}`
  }
  if (wanted !== proposal) return `${what}: stabilizing, then ${proposal}`
  return replicas === before ? 'hold: on target' : what
}

/** Why nothing is done where metrics failed. */
export function reasonWithout(proposals: readonly (number | undefined)[]): string {
  const failed = proposals.filter((proposal) => proposal === undefined).length
  if (failed === proposals.length) return failed === 1 ? 'hold: no metric' : 'hold: no metrics'
  return `hold: ${failed} of ${proposals.length} metrics failed, the others ask for less`
}
