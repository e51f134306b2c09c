// The reason of a sync's decision in a few words. Pure.
import type { Outcome } from './limits.ts'

/** The size before, the size that the metrics ask for, and the size that was set. */
export interface Step {
  readonly before: number
  readonly proposal: number
  readonly outcome: Outcome
}

/** `grow to 6, on the way to 9`, `hold: stabilizing, then 3`. */
export function reasonFor({ before, proposal, outcome }: Step): string {
  const { replicas, stabilized, limit } = outcome
  const verb = replicas > before ? 'grow' : 'shrink'
  const what = replicas === before ? 'hold' : `${verb} to ${replicas}`
  if (limit === 'TooManyReplicas') return `${what}: ${stabilized} is above maxReplicas`
  if (limit === 'TooFewReplicas') return `${what}: ${stabilized} is below minReplicas`
  if (limit !== 'DesiredWithinRange') {
    return replicas === before
      ? `hold: policies keep it from ${stabilized}`
      : `${what}, on the way to ${stabilized}`
  }
  if (stabilized !== proposal) return `${what}: stabilizing, then ${proposal}`
  return replicas === before ? 'hold: on target' : what
}

/** The reason of a sync that holds the size because metrics failed. */
export function reasonForFailure(proposals: readonly (number | undefined)[]): string {
  const failed = proposals.filter((proposal) => proposal === undefined).length
  if (failed === proposals.length) return failed === 1 ? 'hold: no metric' : 'hold: no metrics'
  return `hold: ${failed} of ${proposals.length} metrics failed, the others ask for less`
}
