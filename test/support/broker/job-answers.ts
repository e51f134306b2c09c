// Counts and lists of the jobs of a simulated instance, as `job-list` answers them.
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Instance } from '#simulation/instance.ts'
import { JOB_RESULTS, JOB_STATES, type Job } from '#simulation/jobs/job.ts'
import type { JobFilter } from './job-query.ts'

/** The answer to `job-list.job-stats`. In older releases it has only the queues that have had a job. */
export function jobStats(instance: Instance, { allQueues }: { allQueues: boolean }): JsonObject {
  const total = new JobCounts()
  const queues = new Map<string, JobCounts>()
  if (allQueues) for (const name of instance.queues.keys()) queues.set(name, new JobCounts())
  for (const job of instance.jobs.values()) {
    total.add(job)
    if (job.queue === undefined) continue
    const counts = queues.get(job.queue) ?? new JobCounts()
    counts.add(job)
    queues.set(job.queue, counts)
  }
  return {
    ...total.write(),
    queues: [...queues].map(([name, counts]) => ({ ...counts.write(), name })),
  }
}

class JobCounts {
  /** Counts by the bit of the state. */
  readonly #states = new Map<number, number>()
  /** Counts of inactive jobs by the bit of the result. */
  readonly #results = new Map<number, number>()
  #total = 0

  add({ state, result }: Job): void {
    this.#total += 1
    increment(this.#states, JOB_STATES[state])
    if (state === 'INACTIVE' && result !== undefined) increment(this.#results, JOB_RESULTS[result])
  }

  write(): JsonObject {
    const inState = (state: keyof typeof JOB_STATES) => this.#states.get(JOB_STATES[state]) ?? 0
    const withResult = (result: keyof typeof JOB_RESULTS) =>
      this.#results.get(JOB_RESULTS[result]) ?? 0
    return {
      job_states: {
        depend: inState('DEPEND'),
        priority: inState('PRIORITY'),
        sched: inState('SCHED'),
        run: inState('RUN'),
        cleanup: inState('CLEANUP'),
        inactive: inState('INACTIVE'),
        total: this.#total,
      },
      successful: withResult('successful'),
      failed: withResult('failed'),
      canceled: withResult('canceled'),
      timeout: withResult('timeout'),
      inactive_purged: 0,
    }
  }
}

function increment(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Pending jobs by priority, then running jobs, newest first, then inactive jobs, latest first. `limit` 0 is no limit. */
export function listJobs(instance: Instance, filter: JobFilter, limit: number): readonly Job[] {
  const matching = [...instance.jobs.values()].filter(filter)
  const pending = matching.filter(({ times }) => !(times.RUN || times.CLEANUP))
  const running = matching.filter(({ times, state }) => times.RUN && state !== 'INACTIVE')
  const inactive = matching.filter(({ state }) => state === 'INACTIVE')
  const since = (job: Job, state: Job['state']) => job.times[state] ?? 0
  const jobs = [
    // Jobs in DEPEND have no priority and are last. Equal jobs stay in the order of their ids.
    ...pending.sort((a, b) => urgencyOf(b) - urgencyOf(a)),
    ...running.sort((a, b) => since(b, 'RUN') - since(a, 'RUN') || Number(b.id - a.id)),
    ...inactive.sort((a, b) => since(b, 'INACTIVE') - since(a, 'INACTIVE') || Number(b.id - a.id)),
  ]
  return limit === 0 ? jobs : jobs.slice(0, limit)
}

function urgencyOf({ times, urgency }: Job): number {
  return times.PRIORITY === undefined ? -1 : urgency
}
