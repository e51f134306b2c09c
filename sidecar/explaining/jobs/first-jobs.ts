// At which pending job the scheduler looks first: Fluxion has an order for each queue, sched-simple one for all. Pure.
import type { JobId } from '#flux/calls/job-list-calls.ts'
import { canStart, NO_QUEUE } from '#reading/facts.ts'
import { isUnknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import type { Snapshot } from '#scaling/snapshot.ts'

/** @returns the job at which the scheduler looks first, of each queue; of all queues ({@link NO_QUEUE}) with sched-simple */
export function firstJobsIn(
  { waiting, queues, fluxion }: Snapshot,
  demand: Demand | undefined,
): ReadonlyMap<string, JobId> {
  const firsts = new Map<string, JobId>()
  if (isUnknown(waiting)) return firsts
  for (const job of waiting.jobs) {
    const queue = job.queue ?? NO_QUEUE
    if (!canStart(job) || queues.get(queue)?.started === false) continue
    if (demand?.infeasibleJobs.has(job.id)) continue
    const name = fluxion === undefined ? NO_QUEUE : queue
    if (!firsts.has(name)) firsts.set(name, job.id)
  }
  return firsts
}
