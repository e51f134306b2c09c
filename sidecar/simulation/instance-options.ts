// The options of a simulated Flux instance, and the nodes and queues that follow from them.
import type { JobLatencies } from './latency.ts'
import { Node } from './nodes/node.ts'
import { Queue } from './scheduling/queue.ts'

export interface InstanceOptions extends JobLatencies {
  /** Nodes in the resource set from the start, whether they are up or not: a MiniCluster's `maxSize`. */
  readonly maxSize: number
  /** Default: 8. */
  readonly coresPerNode?: number
  /** Default: 0. */
  readonly gpusPerNode?: number
  /** Number of nodes that are up, from rank 0 on. Default: all. */
  readonly up?: number
  /** Ranks that the configuration excludes from the scheduler. */
  readonly exclude?: readonly number[]
  /** Hosts are `<prefix>-<rank>`. Default: `flux-sample`. */
  readonly hostPrefix?: string
  /** Nodes of a bursted cluster, all of them up, with the ranks from `maxSize` on. Default: none. */
  readonly bursted?: number
  /** Hosts by rank that are not `<prefix>-<rank>`. */
  readonly hosts?: readonly string[]
  /** Named queues and the ranks that have the property of that name. Default: the anonymous queue with all ranks. */
  readonly queues?: Readonly<Record<string, readonly number[]>>
  /** Start of the clock. Default: now. */
  readonly now?: Date
  /** How long a job stays in CLEANUP, with its resources allocated, after it lost a node. A real pod takes about 25 s. */
  readonly lostPodCleanupMs?: number
  /** Which nodes are filled first. Default: `lowest`. Fluxion's own default is `highest`. */
  readonly fill?: 'lowest' | 'highest'
  /** Fails a job that requests more nodes than are up, as Fluxion since 0.43 does with fcfs. Default: it waits. */
  readonly refusesMoreThanUp?: boolean
  /**
   * Jobs pass one that needs nodes which are not up, as with Fluxion's policies easy and conservative. Default: they wait behind
   * it, as with sched-simple.
   */
  readonly passesAbsent?: boolean
}

/** The host prefix of an instance without {@link InstanceOptions.hostPrefix}. */
export const DEFAULT_HOST_PREFIX = 'flux-sample'

/** @param now milliseconds since the epoch */
export function createNodes(options: InstanceOptions, now: number): readonly Node[] {
  const { maxSize, coresPerNode = 8, gpusPerNode = 0, up = maxSize, exclude = [] } = options
  const { hostPrefix = DEFAULT_HOST_PREFIX, bursted = 0, hosts = [] } = options
  return Array.from({ length: maxSize + bursted }, (_, rank) => {
    const isBursted = rank >= maxSize
    const name = isBursted ? `burst-0-${rank - maxSize}` : `${hostPrefix}-${rank}`
    const excluded = exclude.includes(rank)
    const place = { rank, host: hosts[rank] ?? name, bursted: isBursted, excluded }
    const condition = { online: isBursted || rank < up, now }
    return new Node({ ...place, ...condition, cores: coresPerNode, gpus: gpusPerNode })
  })
}

/** The named queues in the order of the options. Empty if there is only the anonymous queue. */
export function createNamedQueues(
  options: InstanceOptions,
  nodes: readonly Node[],
): ReadonlyMap<string, Queue> {
  return new Map(
    Object.entries(options.queues ?? {}).map(([name, ranks]) => {
      const members = new Set(ranks)
      const own = nodes.filter(({ rank }) => members.has(rank))
      return [name, createQueue(name, own, options)]
    }),
  )
}

/** A queue of the nodes that are not excluded, in the order in which they are filled. */
export function createQueue(name: string, nodes: readonly Node[], options: InstanceOptions): Queue {
  const schedulable = nodes.filter(({ excluded }) => !excluded)
  return new Queue(name, options.fill === 'highest' ? schedulable.reverse() : schedulable)
}
