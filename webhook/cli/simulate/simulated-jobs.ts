// The jobs of a simulated instance as the sidecar reads them: counts by state, waiting jobs, recently failed jobs, and the
// job on a rank.

import type { FailedJob, JobId, RunningJob } from '#flux/calls/job-list-calls.ts'
import { idsetOf } from '#flux/sets/id-list.ts'
import type { Idset } from '#flux/sets/idset.ts'
import {
  canStart,
  type JobCounts,
  type JobRequest,
  type Jobs,
  type WaitingJob,
} from '#reading/facts.ts'
import { FAILED_SECONDS } from '#reading/jobs/failed-jobs.ts'
import { MAX_WAITING } from '#reading/jobs/pending-list.ts'
import type { Instance } from '#simulation/instance.ts'
import type { Job } from '#simulation/jobs/job.ts'
import type { JobTally } from '#simulation/jobs/job-tally.ts'

/** The user ID of the owner of all simulated jobs. */
const OWNER = 0

/**
 * In the order of job-list: by priority, the highest first, then by age, the oldest first. Jobs without priority are last. As
 * many as the sidecar lists.
 */
export function waitingJobs(
  instance: Instance,
  { hasGpus }: { readonly hasGpus: boolean },
): readonly WaitingJob[] {
  const ranks = new Map(
    [...instance.queues].map(([name, { nodes }]) => [
      name,
      idsetOf(nodes.map(({ rank }) => rank).sort((a, b) => a - b)),
    ]),
  )
  return instance.pending
    .map((job) => toWaiting(job, { ranks: ranks.get(job.queue ?? ''), hasGpus }))
    .sort((a, b) => (b.priority ?? -1) - (a.priority ?? -1))
    .slice(0, MAX_WAITING)
}

/** What jobspecs depend on besides the job. */
interface RequestContext {
  /** The ranks of the job's queue, which Flux adds to the constraints of a job; `undefined`: every rank. */
  readonly ranks: Idset | undefined
  /** Whether R has GPUs: then every jobspec is read, otherwise only those of jobs that could start. */
  readonly hasGpus: boolean
}

function toWaiting(job: Job, { ranks, hasGpus }: RequestContext): WaitingJob {
  const { id, nodes, cores, tasks, state, times } = job
  const pendingState = state === 'DEPEND' || state === 'PRIORITY' ? state : 'SCHED'
  const priority = times.PRIORITY === undefined ? undefined : job.urgency
  const isRead = hasGpus || canStart({ state: pendingState, priority })
  return {
    id: toWireId(id),
    state: pendingState,
    userid: OWNER,
    priority,
    queue: job.queue,
    ntasks: tasks,
    nnodes: nodes,
    ncores: cores,
    duration: job.timeLimit,
    submittedAt: (times.NEW ?? 0) / 1000,
    startEstimate: undefined,
    request: isRead ? requestOf(job, ranks) : undefined,
  }
}

/** The request in the job's jobspec, as the sidecar reads it. */
function requestOf({ nodes, cores, gpus, tasks }: Job, ranks: Idset | undefined): JobRequest {
  const part =
    nodes === undefined
      ? { nodes, slots: tasks, cores: (cores ?? 0) / tasks, gpus: gpus / tasks, exclusive: false }
      : {
          nodes,
          slots: nodes,
          cores: (cores ?? tasks) / nodes,
          gpus: gpus / nodes,
          exclusive: cores === undefined,
        }
  return { ways: [[part]], ranks }
}

/** As parsed from JSON: a number if it is exact. */
function toWireId(id: Job['id']): JobId {
  return id <= Number.MAX_SAFE_INTEGER ? Number(id) : id
}

/** Jobs that failed in the last FAILED_SECONDS, the latest first. */
export function failedJobs(instance: Instance): readonly FailedJob[] {
  const since = instance.now - FAILED_SECONDS * 1000
  const first = instance.failed.findLastIndex(({ times }) => (times.INACTIVE ?? 0) < since) + 1
  return instance.failed
    .slice(first)
    .map(({ id, queue, times, exception }) => ({
      id: toWireId(id),
      queue,
      inactiveAt: (times.INACTIVE ?? 0) / 1000,
      exceptionType: exception?.type,
      exceptionNote: exception?.note,
    }))
    .sort((a, b) => b.inactiveAt - a.inactiveAt)
}

/** The ranks of the jobs that have started and are not cleaned up yet. */
export function runningRanks(instance: Instance): Idset {
  const ranks: boolean[] = new Array(instance.nodes.length).fill(false)
  for (const { allocations } of instance.active) {
    for (const { node } of allocations) ranks[node.rank] = true
  }
  return idsetOf(instance.nodes.filter(({ rank }) => ranks[rank]).map(({ rank }) => rank))
}

/** The job that started last among those that hold resources of a rank. */
export function jobOnRank(instance: Instance, rank: number): RunningJob | undefined {
  let job: Job | undefined
  for (const one of instance.active) {
    if (!one.allocations.some(({ node }) => node.rank === rank)) continue
    if (job === undefined || (one.times.RUN ?? 0) >= (job.times.RUN ?? 0)) job = one
  }
  if (job === undefined) return undefined
  const { id, allocations, times, timeLimit } = job
  const ranks = allocations.map(({ node }) => node.rank).sort((a, b) => a - b)
  return {
    id: toWireId(id),
    userid: OWNER,
    ranks: idsetOf(ranks),
    expiration: timeLimit === 0 ? 0 : (times.RUN ?? 0) / 1000 + timeLimit,
  }
}

export function countJobs(instance: Instance): Jobs {
  const queues = new Map(
    [...instance.queues.keys()].map((name) => [name, countsOf(instance.tally(name))]),
  )
  return { kind: 'known', total: countsOf(instance.tally()), queues, purged: 0 }
}

function countsOf({ states, results }: JobTally): JobCounts {
  return {
    new: states.NEW,
    depend: states.DEPEND,
    priority: states.PRIORITY,
    sched: states.SCHED,
    run: states.RUN,
    cleanup: states.CLEANUP,
    inactive: states.INACTIVE,
    ...results,
  }
}
