// What we know of a Flux instance at one moment. A value: made by the collector, read by everyone, changed by none.

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

/** Flux answered that it will not tell us; `reason` says why and what to do, in one sentence. */
export interface Withheld {
  readonly kind: 'withheld'
  readonly reason: string
}

/** One consistent reading of a Flux instance. Frozen. */
export interface Snapshot {
  /** When the reading began: no number in it is older. */
  readonly takenAt: Date
  /** How long the reading took, in milliseconds. */
  readonly tookMs: number
  readonly nodes: NodeCounts
  readonly cores: ResourceCounts
  readonly gpus: ResourceCounts
  readonly jobs: Jobs | Withheld
}

/**
 * What a reader gets: a snapshot that is young enough to act upon, or the reason why there is none.
 * `since` is when the last good reading began, `undefined` if there never was one.
 */
export type Reading =
  | { readonly kind: 'fresh'; readonly snapshot: Snapshot }
  | { readonly kind: 'stale'; readonly reason: string; readonly since: Date | undefined }

/** Who answers "what do you know now?" from memory: the collector; in tests, anything. */
export interface SnapshotSource {
  /** The latest reading, judged at `now` (default: the present). Never waits, never asks Flux. */
  reading(now?: Date): Reading
}
