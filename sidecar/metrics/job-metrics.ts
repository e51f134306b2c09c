// The metrics of jobs by state and by result: rows of the catalog.
import type { JobCounts } from '#reading/facts.ts'
import { unknown } from '#reading/unknown.ts'
import type { Metric } from './metric.ts'

type Count = (jobs: JobCounts) => number | undefined

const NOT_COUNTED = unknown('Flux answers without this count, or with one of an unexpected form')

function jobs(name: string, help: string, count: Count): Metric {
  return {
    name,
    help,
    unit: 'jobs',
    kind: 'gauge',
    labels: ['queue'],
    value: ({ jobs }, { queues }) => {
      if (jobs.kind === 'unknown') return jobs
      if (queues === undefined) return count(jobs.total) ?? NOT_COUNTED
      let sum = 0
      for (const queue of queues) {
        const counts = jobs.queues.get(queue)
        if (counts === undefined) throw new RangeError(`Cannot count jobs: no queue "${queue}"`)
        const value = count(counts)
        if (value === undefined) return NOT_COUNTED
        sum += value
      }
      return sum
    },
  }
}

/** The rows, in the order in which the reference and discovery list them. */
export const JOB_METRICS: readonly Metric[] = [
  jobs('job_queue_state_new_count', 'Jobs in state NEW', (counts) => counts.new),
  jobs(
    'job_queue_state_depend_count',
    'Jobs in state DEPEND: waiting for another job or a time',
    (counts) => counts.depend,
  ),
  jobs(
    'job_queue_state_priority_count',
    'Jobs in state PRIORITY: waiting for their priority',
    (counts) => counts.priority,
  ),
  jobs(
    'job_queue_state_sched_count',
    'Jobs in state SCHED: waiting for resources, held jobs included',
    (counts) => counts.sched,
  ),
  jobs('job_queue_state_run_count', 'Jobs in state RUN', (counts) => counts.run),
  jobs(
    'job_queue_state_cleanup_count',
    'Jobs in state CLEANUP: ended, but not yet cleaned up',
    (counts) => counts.cleanup,
  ),
  jobs(
    'job_queue_state_inactive_count',
    'Jobs in state INACTIVE that Flux still remembers',
    (counts) => counts.inactive,
  ),
  jobs(
    'job_pending_count',
    'Jobs not yet running: DEPEND, PRIORITY and SCHED',
    (counts) => counts.depend + counts.priority + counts.sched,
  ),
  jobs(
    'job_active_count',
    'Jobs not yet inactive: pending, RUN and CLEANUP',
    (counts) => counts.depend + counts.priority + counts.sched + counts.run + counts.cleanup,
  ),
  jobs(
    'job_successful_count',
    'Remembered inactive jobs that ended with exit code 0',
    (counts) => counts.successful,
  ),
  jobs(
    'job_failed_count',
    'Remembered inactive jobs that failed, without canceled and timed-out jobs',
    (counts) => counts.failed,
  ),
  jobs(
    'job_canceled_count',
    'Remembered inactive jobs that were canceled',
    (counts) => counts.canceled,
  ),
  jobs(
    'job_timeout_count',
    'Remembered inactive jobs that exceeded their time limit',
    (counts) => counts.timeout,
  ),
]
