// The metrics we serve: our own, one row each, and those that users define. Discovery, OpenAPI, README's table and
// Prometheus follow from them.
import type { JobCounts, NodeCounts, ResourceCounts } from '#reading/facts.ts'
import type { Metric, Selection, Unknown } from './metric.ts'
import { SCALING_METRICS } from './scaling-metrics.ts'

export type { Metric, Selection, Unknown } from './metric.ts'

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
    value: ({ jobs }, selection) => {
      if (jobs.kind === 'withheld') return { unknown: jobs.reason }
      return sumOver(selection, count(jobs.total), (queue) => {
        const counts = jobs.queues.get(queue)
        return counts === undefined ? undefined : count(counts)
      })
    },
  }
}

/** The whole, or the sum over the selected queues. */
function sumOver(
  { queues }: Selection,
  whole: number,
  ofQueue: (name: string) => number | undefined,
): number | Unknown {
  if (queues === undefined) return whole
  let sum = 0
  for (const queue of queues) {
    const value = ofQueue(queue)
    if (value === undefined) throw new RangeError(`Cannot count jobs: no queue "${queue}"`)
    sum += value
  }
  return sum
}

/** Our own metrics, in the order in which README and discovery list them. */
export const BUILTIN_METRICS: readonly Metric[] = Object.freeze([
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
  ...SCALING_METRICS,
])

/** The rows of {@link BUILTIN_METRICS} by name. */
export const METRICS: ReadonlyMap<string, Metric> = new Map(
  BUILTIN_METRICS.map((metric) => [metric.name, metric]),
)

/** All metrics there are. Those that users define may change while the program runs. */
export class Catalog {
  #metrics = METRICS
  #userMetrics: readonly Metric[] = []
  #version = 0

  /** Another number whenever the metrics are others: for who keeps what follows from them. */
  get version(): number {
    return this.#version
  }

  /** In the order in which discovery lists them, those of users last. */
  all(): readonly Metric[] {
    return [...this.#metrics.values()]
  }

  find(name: string): Metric | undefined {
    return this.#metrics.get(name)
  }

  /** Those that users define. */
  get userMetrics(): readonly Metric[] {
    return this.#userMetrics
  }

  /** Replaces the metrics that users define; their names are none of ours. */
  setUserMetrics(metrics: readonly Metric[]): void {
    this.#userMetrics = metrics
    this.#metrics = new Map([
      ...METRICS,
      ...metrics.map((metric) => [metric.name, metric] as const),
    ])
    this.#version += 1
  }
}
