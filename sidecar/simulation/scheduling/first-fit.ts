// Finds nodes with enough resources for one job. The order of the jobs is in waiting-jobs.ts.
import type { Allocation, Job } from '../jobs/job.ts'
import type { Node } from '../nodes/node.ts'

/** How many cores and GPUs of a node a job gets. */
interface Share {
  readonly node: Node
  readonly cores: number
  readonly gpus: number
}

/** Reserves resources for the job on the first nodes that have them. `undefined` if it does not fit now. */
export function place(job: Job, nodes: Iterable<Node>): readonly Allocation[] | undefined {
  const { hiddenRanks } = job
  const shares = findShares(job, nodes, (node) =>
    node.usable && (hiddenRanks === undefined || hiddenRanks.has(node.rank))
      ? { cores: node.cores.free, gpus: node.gpus.free, idle: node.idle }
      : { cores: 0, gpus: 0, idle: false },
  )
  return shares?.map(({ node, cores, gpus }) => ({
    node,
    cores: node.cores.reserve(cores),
    gpus: node.gpus.reserve(gpus),
  }))
}

/** Whether the job would fit if every node was up and idle, and if it accepted them all. */
export function isFeasible(job: Job, nodes: Iterable<Node>): boolean {
  const all = ({ cores, gpus }: Node) => ({ cores: cores.size, gpus: gpus.size, idle: true })
  return findShares(job, nodes, all) !== undefined
}

/** The resources that the placement of the job names. */
export function claim(job: Job, nodes: readonly Node[]): readonly Allocation[] {
  return (job.placement ?? []).flatMap(({ ranks, cores, gpus = [] }) =>
    ranks.map((rank) => {
      const node = nodes[rank]
      if (node === undefined) throw new RangeError(`Cannot place job: there is no rank ${rank}`)
      return { node, cores, gpus }
    }),
  )
}

/** What a job may use of a node. */
interface Available {
  readonly cores: number
  readonly gpus: number
  readonly idle: boolean
}

function findShares(
  job: Job,
  nodes: Iterable<Node>,
  availableOn: (node: Node) => Available,
): Share[] | undefined {
  return job.nodes === undefined
    ? findTasks(job, nodes, availableOn)
    : findNodes({ ...job, nodes: job.nodes }, nodes, availableOn)
}

function findNodes(
  job: Pick<Job, 'cores' | 'gpus'> & { readonly nodes: number },
  nodes: Iterable<Node>,
  availableOn: (node: Node) => Available,
): Share[] | undefined {
  const isExclusive = job.cores === undefined
  const cores = Math.ceil((job.cores ?? 0) / job.nodes)
  const gpus = Math.ceil(job.gpus / job.nodes)
  const shares: Share[] = []
  for (const node of nodes) {
    const available = availableOn(node)
    if (available.cores < cores || available.gpus < gpus) continue
    if (isExclusive && !available.idle) continue
    shares.push(
      isExclusive ? { node, cores: node.cores.size, gpus: node.gpus.size } : { node, cores, gpus },
    )
    if (shares.length === job.nodes) return shares
  }
  return undefined
}

function findTasks(
  job: Job,
  nodes: Iterable<Node>,
  availableOn: (node: Node) => Available,
): Share[] | undefined {
  const cores = Math.ceil((job.cores ?? 0) / job.tasks)
  const gpus = Math.ceil(job.gpus / job.tasks)
  const shares: Share[] = []
  let left = job.tasks
  for (const node of nodes) {
    const available = availableOn(node)
    const byGpus = gpus === 0 ? left : Math.floor(available.gpus / gpus)
    const tasks = Math.min(left, Math.floor(available.cores / cores), byGpus)
    if (tasks === 0) continue
    shares.push({ node, cores: tasks * cores, gpus: tasks * gpus })
    left -= tasks
    if (left === 0) return shares
  }
  return undefined
}
