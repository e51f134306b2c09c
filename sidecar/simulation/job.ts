// One job of a simulated Flux instance as a value: what was asked for, and what became of it so far (RFC 21).
import type { Node } from './node.ts'

/** Job ids are 64-bit and pass 2^53 on the seventh day of an instance (RFC 19). */
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

/** Bits, as `job-list` writes them; 1 is what it calls COMPLETED. */
export const JOB_RESULTS = { successful: 1, failed: 2, canceled: 4, timeout: 8 } as const
export type JobResult = keyof typeof JOB_RESULTS

/** Particular resources on particular ranks, to rebuild what a real scheduler once gave out. */
export interface Placement {
  readonly ranks: readonly number[]
  readonly cores: readonly number[]
  readonly gpus?: readonly number[]
}

/** What a user submits. With `nodes` alone the nodes are the job's alone, like `--exclusive`. Default: one core. */
export interface JobRequest {
  readonly nodes?: number
  /** In all, not per node or task. */
  readonly cores?: number
  /** In all. */
  readonly gpus?: number
  /** Default: as many as GPUs, else cores, else nodes. */
  readonly tasks?: number
  readonly queue?: string
  /** Seconds after which the running job ends by itself, successful. Default: it runs until it is finished. */
  readonly duration?: number
  /** Seconds after which the running job is ended with a time-out. Default: `duration`, which then comes first. */
  readonly timeLimit?: number
  /** 0 holds the job, 16 is the default. */
  readonly urgency?: number
  readonly name?: string
  /** What it waits for in the state DEPEND, e.g. `after-success=ƒ23NX6P8B`, until it is released. */
  readonly dependency?: string
  /** Starts at once, exactly there, whatever the queue holds. */
  readonly placement?: readonly Placement[]
}

/** What a job got on one node. */
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
  /** As asked for; `undefined` if it did not ask for nodes. */
  readonly nodes: number | undefined
  /** As asked for; `undefined` if it asked for whole nodes. */
  readonly cores: number | undefined
  readonly gpus: number
  readonly tasks: number
  /** Seconds; 0 is none. */
  readonly timeLimit: number
  readonly durationMs: number | undefined
  readonly urgency: number
  state: JobState
  /** Times of entering states, in milliseconds since the epoch. */
  readonly times: Partial<Record<JobState, number>>
  /** Empty until it runs; kept when it has ended. */
  allocations: readonly Allocation[]
  result: JobResult | undefined
  exception: JobException | undefined
  /** When the clock is to change it: end the commit of its R, its run, or its clean-up. */
  due: number | undefined
}

/** @throws RangeError for a request that no scheduler could read */
export function createJob(id: JobId, request: JobRequest): Job {
  const { nodes, gpus = 0, queue, dependency, placement, timeLimit, urgency = 16 } = request
  const cores = request.cores ?? (nodes === undefined ? Math.max(1, gpus) : undefined)
  for (const count of [nodes ?? 1, cores ?? 1, request.tasks ?? 1]) checkCount(count)
  const { duration } = request
  return {
    id,
    name: request.name ?? 'sleep',
    queue,
    dependency,
    placement,
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
