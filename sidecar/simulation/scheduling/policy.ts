// What the scheduler does with a waiting job that does not fit now. Pure.

import type { Job } from '../jobs/job.ts'
import type { Node } from '../nodes/node.ts'
import { isFeasible } from './first-fit.ts'

export interface Policy {
  /** Fails a job that requests more nodes than are up, as Fluxion since 0.43 does with fcfs. */
  readonly refusesMoreThanUp: boolean
  /** Lets jobs pass one that needs nodes which are not up, as Fluxion with easy and conservative does. */
  readonly passesAbsent: boolean
}

/** Whether the scheduler fails the job at once. */
export function isRefused(
  job: Job,
  nodes: readonly Node[],
  { refusesMoreThanUp }: Policy,
): boolean {
  if (!isFeasible(job, nodes)) return true
  return refusesMoreThanUp && (job.nodes ?? 0) > usable(nodes).length
}

/**
 * Whether the jobs behind this one, which does not fit now, may start before it. One that would fit on nodes that are up is never
 * passed: a policy with backfill would reserve nodes for it.
 */
export function isPassed(job: Job, nodes: readonly Node[], { passesAbsent }: Policy): boolean {
  return passesAbsent && !isFeasible(job, usable(nodes))
}

function usable(nodes: readonly Node[]): readonly Node[] {
  return nodes.filter((node) => node.usable)
}
