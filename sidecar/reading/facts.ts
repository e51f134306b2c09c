// The parts of one reading of Flux, and of what is remembered of earlier readings. scaling/ computes the size from them. The
// values are never changed.
import type { FluxionSettings } from '#flux/calls/fluxion.ts'
import type { FailedJob, PendingJob, RunningJob } from '#flux/calls/job-list-calls.ts'
import type { ResourceRequest } from '#flux/calls/jobspec.ts'
import type { QueueStop } from '#flux/calls/queue-calls.ts'
import type { Drain } from '#flux/calls/resource-calls.ts'
import type { Idset } from '#flux/sets/idset.ts'
import type { ResourceSet } from '#flux/sets/resource-set.ts'
import type { PodRanks } from './ranks/pod-ranks.ts'
import type { Unknown } from './unknown.ts'

/**
 * Counts of nodes (broker ranks), as `flux resource list` counts them; `idle` and `drained` are our additions. Ranks of other
 * clusters (bursting) are left out.
 */
export interface NodeCounts {
  /** Ranks in R that are not excluded by configuration, up or not. */
  readonly total: number
  /** Ranks that are neither offline nor drained nor torpid, nor down for the scheduler alone: `total - down`. */
  readonly up: number
  /** Ranks that are offline, drained, torpid, or down for the scheduler alone. */
  readonly down: number
  /** Ranks with at least one core or GPU allocated; a draining or offline rank counts both here and in `down`. */
  readonly allocated: number
  /** Up ranks with at least one core or GPU that is not allocated. */
  readonly free: number
  /** Up ranks with nothing allocated. */
  readonly idle: number
  /** Ranks that are drained, with or without a job still running; part of `down`. */
  readonly drained: number
}

/** Counts of cores or of GPUs. Each field counts those of the ranks in the {@link NodeCounts} of the same name. */
export interface ResourceCounts {
  readonly total: number
  readonly up: number
  readonly allocated: number
  readonly free: number
}

/**
 * Jobs by state (RFC 21) and, of the inactive jobs that Flux still remembers, by result. From `job-list.job-stats`. A count that
 * no size depends on is `undefined` if Flux does not say it.
 */
export interface JobCounts {
  readonly new: number | undefined
  readonly depend: number
  readonly priority: number
  readonly sched: number
  readonly run: number
  readonly cleanup: number
  readonly inactive: number | undefined
  readonly successful: number | undefined
  readonly failed: number | undefined
  readonly canceled: number | undefined
  readonly timeout: number | undefined
}

/** Job counts of the whole instance and of each named queue; the map is empty without named queues. */
export interface Jobs {
  readonly kind: 'known'
  readonly total: JobCounts
  readonly queues: ReadonlyMap<string, JobCounts>
  /** How many inactive jobs Flux has forgotten; `undefined` if it does not say. */
  readonly purged?: number | undefined
}

/** Ranks as earlier readings showed them. */
export interface Remembered {
  /** Live ranks that were released less than the idle grace ago. A rank that may have been released then counts, too. */
  readonly recent: Idset
  /**
   * Ranks that should be online and have been missing for the join timeout: the index of a completed pod is not started
   * again.
   */
  readonly lost: Idset
}

/** Our name for the only queue of an instance without named queues. */
export const NO_QUEUE = ''

/** A queue. */
export interface QueueState {
  /** Whether the scheduler starts its jobs. */
  readonly started: boolean
  /** Why not, if it does not. Default: the queue is stopped. */
  readonly stop?: QueueStop | { readonly by: 'removal' }
  /** The ranks that have the properties that it requires; `undefined`: all ranks. */
  readonly ranks: Idset | undefined
}

/** What the jobspec of a job says, which only the broker's owner and the job's user may read. */
export interface JobRequest {
  /** Ways to satisfy the job. */
  readonly ways: ResourceRequest['ways']
  /** The ranks of R that the job's constraint accepts; `undefined`: every rank. */
  readonly ranks: Idset | undefined
  /** The property that the constraint asks for and no rank of R has, if that is why it accepts none. */
  readonly lackingProperty?: string | undefined
}

/** A job that failed. */
export interface EndedJob extends FailedJob {
  /** What its jobspec asks for, if the scheduler refused it. `undefined` if the jobspec was not read. */
  readonly request?: JobRequest | Unknown | undefined
  /** How many nodes were up when it was first seen, if the scheduler refused it. */
  readonly upThen?: number | undefined
}

/** A pending job. */
export interface WaitingJob extends PendingJob {
  /** `undefined` if the jobspec was not read; unknown if it has a shape that we cannot read. */
  readonly request: JobRequest | Unknown | undefined
}

/** Whether the scheduler would start the job if there were nodes and its queue is started. */
export function canStart({ state, priority }: Pick<PendingJob, 'state' | 'priority'>): boolean {
  return state === 'SCHED' && priority !== 0
}

/** The pending jobs, the highest priority first. */
export interface WaitingJobs {
  readonly kind: 'known'
  readonly jobs: readonly WaitingJob[]
  /** The number of pending jobs: more than `jobs` has if the list was cut. */
  readonly total: number
  /** Whether jobs that could start are missing, because the list was cut. */
  readonly lacksStartable: boolean
  /** Why some requests are not known; `undefined` if all are known, or if no metric depends on them. */
  readonly unknownRequests: Unknown | undefined
}

export type Waiting = WaitingJobs | Unknown

/** Running jobs that were listed. */
export interface ListedJobs {
  readonly jobs: readonly RunningJob[]
  /** Whether these are all. */
  readonly areAll: boolean
}

/** One consistent reading of a Flux instance. */
export interface Facts {
  /** When the reading began: no number in it is older. */
  readonly takenAt: Date
  /** How long the reading took, in milliseconds. */
  readonly tookMs: number
  readonly nodes: NodeCounts
  readonly cores: ResourceCounts
  readonly gpus: ResourceCounts
  readonly jobs: Jobs | Unknown
  /** R, with the ranks of other clusters. */
  readonly all: ResourceSet
  /** Which ranks of R are pods of the MiniCluster; unknown if some are not the pods of their indices. */
  readonly pods: PodRanks | Unknown
  /** The resources that are allocated to jobs. A rank that left keeps its allocation until its job is cleaned up. */
  readonly allocated: ResourceSet
  /** Ranks of the running jobs that were listed, see running-jobs.ts. */
  readonly running: Idset
  /** Those jobs. `undefined`: Flux did not list them. */
  readonly runningJobs?: ListedJobs | undefined
  readonly offline: Idset
  /** Ranks that are online but do not answer. */
  readonly torpid: Idset
  /** Ranks that are down for the scheduler alone: no job starts there. `undefined` if there is none. */
  readonly closed?: Idset
  /** Offline ranks that the scheduler takes for up, until it is reloaded. `undefined` if there is none. */
  readonly untracked?: Idset
  readonly drains: readonly Drain[]
  readonly waiting: Waiting
  /** The named queues, or {@link NO_QUEUE}. */
  readonly queues: ReadonlyMap<string, QueueState>
  /** Jobs that failed in the last ten minutes. */
  readonly failed: readonly EndedJob[] | Unknown
  /** A job on the highest busy rank, if Flux names one. */
  readonly highestJob: RunningJob | undefined
  /** The settings of Fluxion, if it is the scheduler and we may read them. */
  readonly fluxion: FluxionSettings | undefined
  /** `broker.quorum`: how many ranks Flux waits for when it starts. */
  readonly quorum: number
}
