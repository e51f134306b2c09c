// One node of a simulated Flux instance: its resources and its condition. Its jobs are in job.ts.
import { IdPool } from './id-pool.ts'

/** Why and when a node was drained. Nodes that were drained together share one. */
export interface Drain {
  /** Seconds since the epoch. */
  readonly timestamp: number
  readonly reason: string | undefined
}

export class Node {
  readonly rank: number
  readonly host: string
  readonly cores: IdPool
  readonly gpus: IdPool
  /** Of a bursted cluster: a resize of the MiniCluster does not start or end it. */
  readonly bursted: boolean
  /** Excluded by configuration: the resource module shows it, the scheduler does not use it. */
  readonly excluded: boolean
  online: boolean
  /** Whether it was ever online. If so, Flux reports it as lost when it is down, otherwise as offline. */
  wasOnline: boolean
  /** When it last went online or offline, in milliseconds since the epoch. */
  changedAt: number
  drain: Drain | undefined

  constructor(options: {
    readonly rank: number
    readonly host: string
    readonly cores: number
    readonly gpus: number
    readonly bursted: boolean
    readonly excluded: boolean
    readonly online: boolean
    readonly now: number
  }) {
    this.rank = options.rank
    this.host = options.host
    this.cores = new IdPool(options.cores)
    this.gpus = new IdPool(options.gpus)
    this.bursted = options.bursted
    this.excluded = options.excluded
    this.online = options.online
    this.wasOnline = options.online
    this.changedAt = options.now
  }

  /** Whether jobs may start here. */
  get usable(): boolean {
    return this.online && this.drain === undefined && !this.excluded
  }

  /** Whether none of its cores and GPUs is reserved or taken. */
  get idle(): boolean {
    return this.cores.free === this.cores.size && this.gpus.free === this.gpus.size
  }

  /** Whether Flux shows any of its cores and GPUs as allocated. */
  get allocated(): boolean {
    return this.cores.takenText !== '' || this.gpus.takenText !== ''
  }
}
