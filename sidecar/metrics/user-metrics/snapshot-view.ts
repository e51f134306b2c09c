// The variables of user expressions: their types, and how each is read from a snapshot. A value that is not known is neither 0
// nor absent: reading it throws.
import { formatJobId } from '#flux/calls/job-id.ts'
import type { JobCounts, WaitingJob } from '#reading/facts.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { METRICS } from '../catalog.ts'
import {
  counts,
  createType,
  double,
  type Field,
  type Fields,
  int,
  string,
  UnknownError,
} from './view-type.ts'

const NODES = createType(
  'Nodes',
  counts('total', 'up', 'down', 'free', 'allocated', 'idle', 'drained'),
)

const RESOURCES = createType('Resources', counts('total', 'up', 'free', 'allocated'))

/** Flux's own names for groups of states (RFC 21). */
const pendingOf = ({ depend, priority, sched }: JobCounts) => depend + priority + sched
const runningOf = ({ run, cleanup }: JobCounts) => run + cleanup

/** A count that Flux may not say. */
function information(key: keyof JobCounts): Fields<JobCounts> {
  const read = (jobs: JobCounts) => {
    const count = jobs[key]
    if (count === undefined)
      throw new UnknownError(unknown(`Flux does not say how many jobs are ${key}`))
    return count
  }
  return { [key]: int(read) }
}

const JOB_COUNTS: Fields<JobCounts> = {
  ...information('new'),
  ...counts('depend', 'priority', 'sched', 'run', 'cleanup'),
  ...information('inactive'),
  ...information('successful'),
  ...information('failed'),
  ...information('canceled'),
  ...information('timeout'),
  pending: int(pendingOf),
  running: int(runningOf),
  active: int((jobs) => pendingOf(jobs) + runningOf(jobs)),
}

const JOBS = createType('Jobs', JOB_COUNTS)

interface Queue {
  readonly counts: JobCounts
  readonly started: boolean
}

const QUEUE = createType<Queue>('Queue', {
  ...Object.fromEntries(
    Object.entries(JOB_COUNTS).map(([key, { read }]) => [
      key,
      { type: 'int', read: (queue: Queue) => read(queue.counts) },
    ]),
  ),
  started: { type: 'bool', read: ({ started }) => started },
})

interface PendingJob {
  readonly job: WaitingJob
  /** Seconds since the epoch. */
  readonly takenAt: number
  /** Why the GPUs of some jobs are not known. One error for all jobs: creating one takes longer than reading a field. */
  readonly unknownRequest: UnknownError | undefined
}

const JOB = createType<PendingJob>('Job', {
  id: string(({ job }) => formatJobId(job.id)),
  state: string(({ job }) => job.state),
  userid: int(({ job }) => job.userid),
  priority: int(({ job }) => job.priority),
  queue: string(({ job }) => job.queue),
  tasks: int(({ job }) => job.ntasks),
  nodes: int(({ job }) => job.nnodes),
  cores: int(({ job }) => job.ncores),
  gpus: int(gpusOf),
  duration: double(({ job }) => job.duration),
  submitted: double(({ job }) => job.submittedAt),
  waited: double(({ job: { submittedAt }, takenAt }) =>
    submittedAt === undefined ? undefined : Math.max(0, takenAt - submittedAt),
  ),
  start: double(({ job }) => job.startEstimate),
})

function gpusOf({ job: { request }, unknownRequest }: PendingJob): number {
  if (request !== undefined) {
    if (isUnknown(request)) throw new UnknownError(request)
    return (request.ways[0] ?? []).reduce((sum, { slots, gpus }) => sum + slots * gpus, 0)
  }
  if (unknownRequest !== undefined) throw unknownRequest
  // Without GPUs in R, no job can ask for any.
  return 0
}

/** A size is the value of one of our metrics; if that is not known, neither is the size. */
function size(name: string): Field<Snapshot> {
  return int((snapshot) => {
    const value: number | Unknown | undefined = METRICS.get(name)?.value(snapshot, {})
    if (typeof value === 'number') return value
    throw new UnknownError(value ?? unknown(`there is no metric "${name}"`))
  })
}

const SIZE = createType('Size', {
  desired: size('node_desired_count'),
  floor: size('node_floor_count'),
  demand: size('node_demand_count'),
})

/** The types of objects. A type is listed before the types that refer to it. */
export const TYPES = [NODES, RESOURCES, JOBS, QUEUE, JOB, SIZE] as const

/** The variables, and their types in CEL. */
export const VARIABLES = {
  nodes: NODES.name,
  cores: RESOURCES.name,
  gpus: RESOURCES.name,
  jobs: JOBS.name,
  queues: `map<string, ${QUEUE.name}>`,
  pending: `list<${JOB.name}>`,
  size: SIZE.name,
} as const

/** The values of the variables. A list or map is made once, when it is first read. */
class SnapshotView implements Readonly<Record<keyof typeof VARIABLES, object>> {
  readonly #snapshot: Snapshot
  #queues: ReadonlyMap<string, object> | undefined
  #pending: readonly object[] | undefined

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot
  }

  get nodes(): object {
    return new NODES.ctor(this.#snapshot.nodes)
  }

  get cores(): object {
    return new RESOURCES.ctor(this.#snapshot.cores)
  }

  get gpus(): object {
    return new RESOURCES.ctor(this.#snapshot.gpus)
  }

  get jobs(): object {
    return new JOBS.ctor(knownJobs(this.#snapshot).total)
  }

  get queues(): ReadonlyMap<string, object> {
    this.#queues ??= viewQueues(this.#snapshot)
    return this.#queues
  }

  get pending(): readonly object[] {
    this.#pending ??= viewPending(this.#snapshot)
    return this.#pending
  }

  get size(): object {
    return new SIZE.ctor(this.#snapshot)
  }
}

function knownJobs({ jobs }: Snapshot) {
  if (jobs.kind === 'unknown') throw new UnknownError(jobs)
  return jobs
}

function viewQueues(snapshot: Snapshot): ReadonlyMap<string, object> {
  const views = [...knownJobs(snapshot).queues].map(([name, counts]) => {
    const started = snapshot.queues.get(name)?.started ?? true
    return [name, new QUEUE.ctor({ counts, started })] as const
  })
  return new Map(views)
}

function viewPending({ waiting, takenAt }: Snapshot): readonly object[] {
  if (waiting.kind === 'unknown') throw new UnknownError(waiting)
  const { jobs, total } = waiting
  if (jobs.length < total) {
    const reason = `${total} jobs are pending, but the sidecar lists only ${jobs.length} of them`
    throw new UnknownError(unknown(reason))
  }
  const { unknownRequests } = waiting
  const error = unknownRequests && new UnknownError(unknownRequests)
  const seconds = takenAt.getTime() / 1000
  return jobs.map((job) => new JOB.ctor({ job, takenAt: seconds, unknownRequest: error }))
}

const views = new WeakMap<Snapshot, SnapshotView>()

/** The values of the variables in this snapshot: the same object each time. */
export function viewSnapshot(snapshot: Snapshot): object {
  const known = views.get(snapshot)
  if (known !== undefined) return known
  const view = new SnapshotView(snapshot)
  views.set(snapshot, view)
  return view
}
