// What one reading of Flux tells, before anything is remembered of others or concluded. Values: made by instance.ts, read by
// everyone, changed by none.
import type { FluxionSettings } from '#flux/calls/fluxion.ts'
import type { FailedJob, PendingJob, RunningJob } from '#flux/calls/job-list-calls.ts'
import type { SlotRequest } from '#flux/calls/jobspec.ts'
import type { Drain } from '#flux/calls/resource-calls.ts'
import type { Idset } from '#flux/sets/idset.ts'
import type { ResourceSet } from '#flux/sets/resource-set.ts'
import type { Unknown } from './unknown.ts'

/** Counts of nodes (broker ranks), as `flux resource list` counts them, and two that it does not. */
export interface NodeCounts {
  /** Ranks in R that are not excluded by configuration, up or not. */
  readonly total: number
  /** Ranks that are neither offline nor drained nor torpid: `total - down`. */
  readonly up: number
  /** Ranks that are offline, drained or torpid. */
  readonly down: number
  /** Ranks with at least one core or GPU allocated; a draining or lost rank counts here and in `down`. */
  readonly allocated: number
  /** Up ranks with at least one core or GPU that is not allocated. */
  readonly free: number
  /** Up ranks with nothing allocated. */
  readonly idle: number
  /** Ranks an administrator has drained, with or without a job still running; part of `down`. */
  readonly drained: number
}

/** Counts of cores or of GPUs in the ranks of the like-named {@link NodeCounts}. */
export interface ResourceCounts {
  readonly total: number
  readonly up: number
  readonly allocated: number
  readonly free: number
}

/** Jobs by state (RFC 21) and, of the inactive ones still remembered, by result. From `job-list.job-stats`. */
export interface JobCounts {
  readonly new: number
  readonly depend: number
  readonly priority: number
  readonly sched: number
  readonly run: number
  readonly cleanup: number
  readonly inactive: number
  readonly successful: number
  readonly failed: number
  readonly canceled: number
  readonly timeout: number
}

/** Job counts of the whole instance and of each named queue; the map is empty without named queues. */
export interface Jobs {
  readonly kind: 'known'
  readonly total: JobCounts
  readonly queues: ReadonlyMap<string, JobCounts>
}

/** What is remembered of ranks beyond one reading. */
export interface Remembered {
  /** Ranks that are there and were released less than the idle grace ago, or that we do not know better of. */
  readonly recent: Idset
  /** Ranks that should be there, that others have passed, and that have not come for long: completed indices do not. */
  readonly lost: Idset
}

/** A named queue. */
export interface QueueState {
  /** Whether its jobs are given resources. */
  readonly started: boolean
  /** The ranks that have what it requires; `undefined`: all. */
  readonly ranks: Idset | undefined
}

/** A job that waits; `request` is from its jobspec, which only the broker's owner may read. */
export interface WaitingJob extends PendingJob {
  readonly request: SlotRequest | undefined
}

/** The jobs that wait, those of the highest priority first. */
export interface WaitingJobs {
  readonly kind: 'known'
  readonly jobs: readonly WaitingJob[]
  /** How many there are: more than `jobs`, if the list was cut. */
  readonly total: number
  /** Why some requests are not known; `undefined` if they are, or nothing depends on them. */
  readonly unknownRequests: Unknown | undefined
}

export type Waiting = WaitingJobs | Unknown

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
  /** R. */
  readonly all: ResourceSet
  /** What jobs hold; of a rank that went away too, until its job is cleaned up. */
  readonly allocated: ResourceSet
  readonly offline: Idset
  /** Online, but not answering. */
  readonly torpid: Idset
  readonly drains: readonly Drain[]
  readonly waiting: Waiting
  readonly queues: ReadonlyMap<string, QueueState>
  /** Jobs that failed in the last ten minutes. */
  readonly failed: readonly FailedJob[] | Unknown
  /** A job on the highest rank that is busy, where Flux names one. */
  readonly highestJob: RunningJob | undefined
  /** Settings of Fluxion, where it is the scheduler and tells them. */
  readonly fluxion: FluxionSettings | undefined
  /** `broker.quorum`: how many ranks Flux waits for when it starts. */
  readonly quorum: number
}
