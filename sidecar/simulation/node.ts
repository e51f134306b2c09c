// One node of a simulated Flux instance: its resources and its condition. Its jobs are in job.ts.
import { expandHosts } from '#flux/sets/hostlist.ts'
import { formatIds, IdPool } from './id-pool.ts'

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
    readonly excluded: boolean
    readonly online: boolean
    readonly now: number
  }) {
    this.rank = options.rank
    this.host = options.host
    this.cores = new IdPool(options.cores)
    this.gpus = new IdPool(options.gpus)
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

/** The hosts of these ranks as a hostlist (RFC 29): `flux-sample-[0-1,3]`, `flux-sample-3`, or `""`. */
export function formatHosts(prefix: string, ranks: readonly number[]): string {
  if (ranks.length === 0) return ''
  const ids = formatIds(ranks)
  return ranks.length === 1 ? `${prefix}-${ids}` : `${prefix}-[${ids}]`
}

/** The ranks that a hostlist names, ascending. `undefined` if it names an unknown host. */
export function ranksOfHosts(nodes: readonly Node[], list: string): number[] | undefined {
  const ranks = new Map(nodes.map(({ host, rank }) => [host, rank]))
  const found = expandHosts(list).map((host) => ranks.get(host))
  if (!found.every((rank) => rank !== undefined)) return undefined
  return found.sort((a, b) => a - b)
}
