// The metrics we serve, one row each. Discovery, OpenAPI, README's table and Prometheus follow from these rows.
import type { JobCounts, NodeCounts, ResourceCounts, Snapshot } from './snapshot.ts'

/** Which part of the instance a value is asked for: the whole, or the sum over some queues. */
export interface Selection {
  /** Names of queues to sum over; `undefined` is the whole instance. Each exists in the snapshot. */
  readonly queues?: readonly string[]
}

/** One metric: what it is called, what it means and how it is read off a {@link Snapshot}. */
export interface Metric {
  /** The name in API paths, e.g. `node_up_count`. */
  readonly name: string
  /** Its definition, one sentence. */
  readonly help: string
  readonly unit: 'nodes' | 'cores' | 'gpus' | 'jobs'
  /** All of ours are gauges: they say how many there are now. */
  readonly kind: 'gauge'
  /** Metric labels that a `metricLabelSelector` may select by. */
  readonly labels: readonly 'queue'[]
  /** The value: an integer ≥ 0, or `undefined` if Flux withholds it (see `Snapshot.jobs`). */
  value(snapshot: Snapshot, selection: Selection): number | undefined
}

function nodes(name: string, state: keyof NodeCounts, help: string): Metric {
  return {
    name,
    help,
    unit: 'nodes',
    kind: 'gauge',
    labels: [],
    value: (snapshot) => snapshot.nodes[state],
  }
}

function resources(what: 'cores' | 'gpus', state: keyof ResourceCounts, help: string): Metric {
  return {
    name: `node_${what}_${state}_count`,
    help,
    unit: what,
    kind: 'gauge',
    labels: [],
    value: (snapshot) => snapshot[what][state],
  }
}

function jobs(name: string, help: string, count: (jobs: JobCounts) => number): Metric {
  return {
    name,
    help,
    unit: 'jobs',
    kind: 'gauge',
    labels: ['queue'],
    value: ({ jobs }, { queues }) => {
      if (jobs.kind === 'withheld') return undefined
      if (queues === undefined) return count(jobs.total)
      let sum = 0
      for (const queue of queues) {
        const counts = jobs.queues.get(queue)
        if (counts === undefined) throw new RangeError(`Cannot count jobs: no queue "${queue}"`)
        sum += count(counts)
      }
      return sum
    },
  }
}

/** Every metric, in the order in which README, discovery and Prometheus list them. */
export const CATALOG: readonly Metric[] = Object.freeze([
  nodes(
    'node_total_count',
    'total',
    'Nodes in the resource set R (every rank up to maxSize), excluded ones left out',
  ),
  nodes('node_up_count', 'up', 'Nodes that are online and not drained: total less down'),
  nodes(
    'node_down_count',
    'down',
    'Nodes that are offline, drained or torpid; ranks whose pod was never started are down',
  ),
  nodes('node_free_count', 'free', 'Up nodes with at least one core or GPU not allocated'),
  nodes(
    'node_allocated_count',
    'allocated',
    'Nodes with at least one core or GPU allocated, nodes in housekeeping included',
  ),
  nodes('node_idle_count', 'idle', 'Up nodes with nothing allocated'),
  nodes(
    'node_drained_count',
    'drained',
    'Nodes that are drained, whether or not a job still runs on them',
  ),
  resources('cores', 'total', 'Cores of all nodes in R'),
  resources('cores', 'up', 'Cores of up nodes'),
  resources('cores', 'allocated', 'Cores allocated to jobs'),
  resources('cores', 'free', 'Cores of up nodes that are not allocated'),
  resources('gpus', 'total', 'GPUs of all nodes in R'),
  resources('gpus', 'up', 'GPUs of up nodes'),
  resources('gpus', 'allocated', 'GPUs allocated to jobs'),
  resources('gpus', 'free', 'GPUs of up nodes that are not allocated'),
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
    'Jobs in state SCHED: waiting for resources, held ones included',
    (counts) => counts.sched,
  ),
  jobs('job_queue_state_run_count', 'Jobs in state RUN', (counts) => counts.run),
  jobs(
    'job_queue_state_cleanup_count',
    'Jobs in state CLEANUP: ended, not yet cleaned up',
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
    'Remembered inactive jobs that failed of themselves, canceled and timed-out ones left out',
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
])

/** The rows of {@link CATALOG} by name. */
export const METRICS: ReadonlyMap<string, Metric> = new Map(
  CATALOG.map((metric) => [metric.name, metric]),
)
