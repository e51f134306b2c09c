// One job as `job-list` writes it: its attributes, and their values in each state.
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Instance } from '#simulation/instance.ts'
import { type Allocation, JOB_RESULTS, JOB_STATES, type Job } from '#simulation/jobs/job.ts'
import { isFeasible } from '#simulation/scheduling/first-fit.ts'
import { formatHosts } from './hosts.ts'
import { formatIds } from './ids.ts'
import type { BrokerState } from './method.ts'
import type { Release, Scheduler } from './release.ts'

interface Context {
  readonly instance: Instance
  readonly scheduler: Scheduler
  readonly release: Release
  readonly owner: number
}

/** `undefined` for a value that is unknown or does not apply. It is omitted. */
type Attribute = (job: Job, context: Context) => unknown

/** wait(2) statuses: exit 0, exit 1, and the recorded values of canceled and timed-out jobs. */
const WAIT_STATUSES = { successful: 0, failed: 256, canceled: 36608, timeout: 36352 } as const

const ATTRIBUTES: Readonly<Record<string, Attribute>> = {
  userid: (_, { owner }) => owner,
  urgency: (job) => job.urgency,
  priority: priorityOf,
  t_submit: time('NEW'),
  t_depend: time('DEPEND'),
  t_priority: time('PRIORITY'),
  t_sched: time('SCHED'),
  t_run: time('RUN'),
  t_cleanup: time('CLEANUP'),
  t_inactive: time('INACTIVE'),
  state: (job) => JOB_STATES[job.state],
  name: (job) => job.name,
  cwd: () => '/tmp',
  queue: (job) => job.queue,
  project: () => undefined,
  bank: () => undefined,
  ntasks: (job) => job.tasks,
  ncores: (job) => (hasRun(job) ? countCores(job.allocations) : job.cores),
  duration: (job) => job.timeLimit,
  nnodes: (job) => (hasRun(job) ? ranksOf(job).length : job.nodes),
  ranks: (job) => (hasRun(job) ? bracket(ranksOf(job)) : undefined),
  nodelist: (job, { instance }) => (hasRun(job) ? formatHosts(instance, ranksOf(job)) : undefined),
  success: (job) => (job.state === 'INACTIVE' ? job.result === 'successful' : undefined),
  exception_occurred: (job) => (job.state === 'INACTIVE' ? job.exception !== undefined : undefined),
  exception_type: (job) => job.exception?.type,
  exception_severity: (job) => (job.exception === undefined ? undefined : 0),
  exception_note: (job) => job.exception?.note,
  result: (job) =>
    job.state === 'INACTIVE' && job.result !== undefined ? JOB_RESULTS[job.result] : undefined,
  expiration: (job) => {
    const { RUN } = job.times
    if (RUN === undefined) return undefined
    return job.timeLimit === 0 ? 0 : RUN / 1000 + job.timeLimit
  },
  annotations: annotationsOf,
  waitstatus: (job) =>
    hasRun(job) && job.state === 'INACTIVE' && job.result !== undefined
      ? WAIT_STATUSES[job.result]
      : undefined,
  dependencies: (job) =>
    job.state === 'DEPEND' && job.dependency !== undefined ? [job.dependency] : undefined,
}

/** The names that `attrs` accepts, without `all`. */
export const ATTRIBUTE_NAMES: readonly string[] = Object.keys(ATTRIBUTES)

/** One element of `jobs`. It always has the id. */
export function writeJob(job: Job, names: readonly string[], broker: BrokerState): JsonObject {
  const written: Record<string, unknown> = { id: job.id }
  for (const name of names) {
    const value = ATTRIBUTES[name]?.(job, broker)
    if (value !== undefined) written[name] = value
  }
  return written
}

/** `undefined` before the priority plugin has seen the job. */
function priorityOf(job: Job): number | undefined {
  if (job.times.PRIORITY === undefined) return undefined
  return job.urgency
}

function hasRun(job: Job): boolean {
  return job.allocations.length > 0
}

function time(state: Job['state']): Attribute {
  return (job) => {
    const at = job.times[state]
    return at === undefined ? undefined : at / 1000
  }
}

function ranksOf(job: Job): readonly number[] {
  return job.allocations.map(({ node }) => node.rank).sort((a, b) => a - b)
}

function countCores(allocations: readonly Allocation[]): number {
  return allocations.reduce((sum, { cores }) => sum + cores.length, 0)
}

function bracket(ids: readonly number[]): string {
  return ids.length > 1 ? `[${formatIds(ids)}]` : formatIds(ids)
}

function annotationsOf(job: Job, context: Context): JsonObject | undefined {
  const { scheduler, release } = context
  if (hasRun(job)) {
    return scheduler === 'fluxion'
      ? { sched: { selection_type: 'immediate' } }
      : { sched: { resource_summary: summaryOf(job) } }
  }
  const estimates = scheduler === 'sched-simple' && release.has('pythonScheduler')
  if (!estimates || job.state !== 'SCHED' || job.urgency === 0) return undefined
  const { instance } = context
  if (!isFeasible(job, instance.queue(job.queue)?.nodes ?? [])) return undefined
  return { sched: { t_estimate: instance.now / 1000 } }
}

/** `rank[0-1]/core[0-7] rank2/core0,gpu[0-1]`. */
function summaryOf({ allocations }: Job): string {
  const contents = ({ cores, gpus }: Allocation) =>
    `core${bracket(cores)}${gpus.length > 0 ? `,gpu${bracket(gpus)}` : ''}`
  return [...Map.groupBy(allocations, contents)]
    .map(([held, alike]) => `rank${bracket(alike.map(({ node }) => node.rank))}/${held}`)
    .join(' ')
}
