// Where a job fits: first come, first served is the caller's order, this finds room for one job among nodes.
import type { Allocation, Job } from './job.ts'
import type { Node } from './node.ts'

/** How much of a node's ids a job gets, before they are named. */
interface Share {
  readonly node: Node
  readonly cores: number
  readonly gpus: number
}

/** Reserves resources for the job, on the first of `nodes` that have them; `undefined` if there is no room now. */
export function place(job: Job, nodes: Iterable<Node>): readonly Allocation[] | undefined {
  const shares = find(job, nodes, (node) =>
    node.usable
      ? { cores: node.cores.free, gpus: node.gpus.free, idle: node.idle }
      : { cores: 0, gpus: 0, idle: false },
  )
  return shares?.map(({ node, cores, gpus }) => ({
    node,
    cores: node.cores.reserve(cores),
    gpus: node.gpus.reserve(gpus),
  }))
}

/** Whether there would be room with every node up and idle. */
export function isFeasible(job: Job, nodes: Iterable<Node>): boolean {
  const room = ({ cores, gpus }: Node) => ({ cores: cores.size, gpus: gpus.size, idle: true })
  return find(job, nodes, room) !== undefined
}

/** The resources that the job's own placement names. */
export function claim(job: Job, nodes: readonly Node[]): readonly Allocation[] {
  return (job.placement ?? []).flatMap(({ ranks, cores, gpus = [] }) =>
    ranks.map((rank) => {
      const node = nodes[rank]
      if (node === undefined) throw new RangeError(`Cannot place job: there is no rank ${rank}`)
      return { node, cores, gpus }
    }),
  )
}

interface Room {
  readonly cores: number
  readonly gpus: number
  readonly idle: boolean
}

function find(job: Job, nodes: Iterable<Node>, roomOf: (node: Node) => Room): Share[] | undefined {
  return job.nodes === undefined
    ? findTasks(job, nodes, roomOf)
    : findNodes({ ...job, nodes: job.nodes }, nodes, roomOf)
}

function findNodes(
  job: Pick<Job, 'cores' | 'gpus'> & { readonly nodes: number },
  nodes: Iterable<Node>,
  roomOf: (node: Node) => Room,
): Share[] | undefined {
  const whole = job.cores === undefined
  const cores = Math.ceil((job.cores ?? 0) / job.nodes)
  const gpus = Math.ceil(job.gpus / job.nodes)
  const shares: Share[] = []
  for (const node of nodes) {
    const room = roomOf(node)
    if (room.cores < cores || room.gpus < gpus || (whole && !room.idle)) continue
    shares.push(
      whole ? { node, cores: node.cores.size, gpus: node.gpus.size } : { node, cores, gpus },
    )
    if (shares.length === job.nodes) return shares
  }
  return undefined
}

function findTasks(
  job: Job,
  nodes: Iterable<Node>,
  roomOf: (node: Node) => Room,
): Share[] | undefined {
  const cores = Math.ceil((job.cores ?? 0) / job.tasks)
  const gpus = Math.ceil(job.gpus / job.tasks)
  const shares: Share[] = []
  let left = job.tasks
  for (const node of nodes) {
    const room = roomOf(node)
    const byGpus = gpus === 0 ? left : Math.floor(room.gpus / gpus)
    const tasks = Math.min(left, Math.floor(room.cores / cores), byGpus)
    if (tasks === 0) continue
    shares.push({ node, cores: tasks * cores, gpus: tasks * gpus })
    left -= tasks
    if (left === 0) return shares
  }
  return undefined
}
