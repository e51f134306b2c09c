// Converts the answer of job-stats to the job counts of a reading.
import type { InstanceJobStats, JobStats } from '#flux/calls/job-calls.ts'
import { FluxError } from '#flux/errors.ts'
import type { JobCounts, Jobs } from '#reading/facts.ts'

/** @throws FluxError `FLUX_PROTOCOL` if the counts contradict each other */
export function toJobs({ total, queues, purged }: InstanceJobStats): Jobs {
  const counts = new Map<string, JobCounts>()
  for (const [name, stats] of queues) counts.set(name, toJobCounts(stats))
  return { kind: 'known', total: toJobCounts(total), queues: counts, purged }
}

/** `total` counts every job that job-list knows. The answer names all states except NEW, so the rest is NEW. */
function toJobCounts({ total, ...stats }: JobStats): JobCounts {
  const { depend, priority, sched, run, cleanup, inactive } = stats
  if (total === undefined || inactive === undefined) return { new: undefined, ...stats }
  const fresh = total - (depend + priority + sched + run + cleanup + inactive)
  if (fresh < 0)
    throw new FluxError(
      'FLUX_PROTOCOL',
      'Cannot trust job-stats: the sum of its states exceeds its total',
    )
  return { new: fresh, ...stats }
}

const NO_JOBS: JobCounts = {
  ...{ new: 0, depend: 0, priority: 0, sched: 0, run: 0, cleanup: 0, inactive: 0 },
  ...{ successful: 0, failed: 0, canceled: 0, timeout: 0 },
}

/** The counts, with the queues that are configured and that Flux has never counted a job in. */
export function withQueues(jobs: Jobs, names: Iterable<string>): Jobs {
  const queues = new Map(jobs.queues)
  for (const name of names) if (!queues.has(name)) queues.set(name, NO_JOBS)
  return { ...jobs, queues }
}

/**
 * The counts as a text. Equal counts have equal texts, in whatever order Flux lists the queues, and whether or not it lists
 * those without any job.
 */
export function fingerprint({ total, queues }: Jobs): string {
  const byName = [...queues]
    .filter(([, counts]) => Object.values(counts).some((count) => count !== 0))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([total, byName])
}
