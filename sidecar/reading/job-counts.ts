// Converts the answer of job-stats to the job counts of a reading.
import type { InstanceJobStats, JobStats } from '#flux/calls/job-calls.ts'
import { FluxError } from '#flux/errors.ts'
import type { JobCounts, Jobs } from './facts.ts'

/** @throws FluxError `FLUX_PROTOCOL` if the counts contradict each other */
export function toJobs({ total, queues }: InstanceJobStats): Jobs {
  const counts = new Map<string, JobCounts>()
  for (const [name, stats] of queues) counts.set(name, toJobCounts(stats))
  return { kind: 'known', total: toJobCounts(total), queues: counts }
}

/** `total` counts every job that job-list knows. The answer names all states except NEW, so the rest is NEW. */
function toJobCounts({ total, ...stats }: JobStats): JobCounts {
  const { depend, priority, sched, run, cleanup, inactive } = stats
  const fresh = total - (depend + priority + sched + run + cleanup + inactive)
  if (fresh < 0)
    throw new FluxError(
      'FLUX_PROTOCOL',
      'Cannot trust job-stats: the sum of its states exceeds its total',
    )
  return { new: fresh, ...stats }
}

/** The counts as a text. Equal counts have equal texts, in whatever order Flux lists the queues. */
export function fingerprint({ total, queues }: Jobs): string {
  const byName = [...queues].sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify([total, byName])
}
