// One job of a simulated Flux instance: its request and its state (RFC 21). The changes of the state are in workload.ts.
import type { Node } from '../nodes/node.ts'

/** Job ids have 64 bits and exceed 2^53 from the seventh day of an instance on (RFC 19). */
export type JobId = bigint

/** Bits, as `job-list` writes them. */
export const JOB_STATES = {
  NEW: 1,
  DEPEND: 2,
  PRIORITY: 4,
  SCHED: 8,
  RUN: 16,
  CLEANUP: 32,
  INACTIVE: 64,
} as const
export type JobState = keyof typeof JOB_STATES

/** Bits, as `job-list` writes them. `job-list` calls 1 COMPLETED. */
export const JOB_RESULTS = { successful: 1, failed: 2, canceled: 4, timeout: 8 } as const
export type JobResult = keyof typeof JOB_RESULTS

/** Given resources on given ranks, to repeat an allocation of a real scheduler. */
export interface Placement {
  readonly ranks: readonly number[]
  readonly cores: readonly number[]
  readonly gpus?: readonly number[]
}

/** What a user submits. With `nodes` and no `cores` the job gets whole nodes, like `--exclusive`. Default: one core. */
export interface JobRequest {
  readonly nodes?: number
  /** For the whole job, not per node or task. */
  readonly cores?: number
  /** For the whole job. */
  readonly gpus?: number
  /** Default: the number of GPUs, else of cores, else of nodes. */
  readonly tasks?: number
  readonly queue?: string
  /** Seconds after which the running job ends successfully. Default: it runs until it is finished. */
  readonly duration?: number
  /** Seconds after which the running job ends with a time-out. Default: `duration`; the job is then successful. */
  readonly timeLimit?: number
  /** 0 holds the job, 16 is the default. */
  readonly urgency?: number
  readonly name?: string
  /** The dependency of the job, e.g. `after-success=ƒ23NX6P8B`. The job stays in DEPEND until it is released. */
  readonly dependency?: string
  /** The only ranks on which the job may run. Nothing that the instance answers shows it. Default: every rank of its queue. */
  readonly hiddenRanks?: readonly number[]
  /** The job starts at once on exactly these resources, ahead of all waiting jobs. */
  readonly placement?: readonly Placement[]
}

/** The resources of a job on one node. */
export interface Allocation {
  readonly node: Node
  readonly cores: readonly number[]
  readonly gpus: readonly number[]
}

export interface JobException {
  readonly type: string
  readonly note: string
}

export interface Job {
  readonly id: JobId
  readonly name: string
  readonly queue: string | undefined
  readonly dependency: string | undefined
  readonly placement: readonly Placement[] | undefined
  readonly hiddenRanks: ReadonlySet<number> | undefined
  /** As requested. `undefined` if the job did not request nodes. */
  readonly nodes: number | undefined
  /** As requested. `undefined` if the job requested whole nodes. */
  readonly cores: number | undefined
  readonly gpus: number
  readonly tasks: number
  /** Seconds. 0 is no limit. */
  readonly timeLimit: number
  readonly durationMs: number | undefined
  readonly urgency: number
  state: JobState
  /** When the job entered each state, in milliseconds since the epoch. */
  readonly times: Partial<Record<JobState, number>>
  /** Empty until the job runs. Kept after its end. */
  allocations: readonly Allocation[]
  result: JobResult | undefined
  exception: JobException | undefined
  /** When the clock changes the job: the end of the commit of R, of its run or of its clean-up. */
  due: number | undefined
}

/** @throws RangeError for a count that is not a positive integer */
export function createJob(id: JobId, request: JobRequest): Job {
  const { nodes, gpus = 0, queue, dependency, placement, timeLimit, urgency = 16 } = request
  const { hiddenRanks } = request
  const cores = request.cores ?? (nodes === undefined ? Math.max(1, gpus) : undefined)
  for (const count of [nodes ?? 1, cores ?? 1, request.tasks ?? 1]) checkCount(count)
  const { duration } = request
  return {
    id,
    name: request.name ?? 'sleep',
    queue,
    dependency,
    placement,
    hiddenRanks: hiddenRanks && new Set(hiddenRanks),
    nodes,
    cores,
    gpus,
    tasks: request.tasks ?? (gpus || cores || nodes || 1),
    timeLimit: timeLimit ?? duration ?? 0,
    durationMs: duration === undefined ? undefined : duration * 1000,
    urgency,
    state: 'NEW',
    times: {},
    allocations: [],
    result: undefined,
    exception: undefined,
    due: undefined,
  }
}

function checkCount(count: number): void {
  if (Number.isSafeInteger(count) && count > 0) return
  throw new RangeError(`Cannot submit job: expected counts of at least 1, got ${count}`)
}
