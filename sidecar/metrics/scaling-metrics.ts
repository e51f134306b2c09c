import { countIds } from '#flux/sets/idset.ts'
import { FAILED_SECONDS, isRefused } from '#reading/failed-jobs.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { compensatedSize } from '#scaling/hpa-tolerance.ts'
import { addDemands, NO_DEMAND, type QueueDemand } from '#scaling/queue-demand.ts'
import { sizeWith } from '#scaling/ranks.ts'
import { demandedNodes } from '#scaling/sizes.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import type { Metric, Selection } from './metric.ts'

const CUT = unknown(
  'Flux has more pending jobs than we list, and what the others ask for is not known',
)

const NO_ESTIMATE = unknown('the scheduler gives no estimate')

interface Row {
  readonly name: string
  readonly help: string
  readonly unit: Metric['unit']
  readonly isSum?: boolean
  readonly isOfNow?: boolean
  value(snapshot: Snapshot, demand: Demand, selection: Selection): number | Unknown
}

/** A metric by queue, which is not known where Flux hides jobs. */
function row({ value, ...fields }: Row): Metric {
  return {
    ...fields,
    kind: 'gauge',
    labels: ['queue'],
    value: (snapshot, selection) => {
      const { demand } = snapshot
      if (demand.kind === 'unknown') return demand
      return value(snapshot, demand, selection)
    },
  }
}

/** A sum over pending jobs: not known if some of them are not in sight. */
function pending(
  fields: Pick<Row, 'name' | 'help' | 'unit' | 'isSum'>,
  of: (queue: QueueDemand, demand: Demand) => number | Unknown,
): Metric {
  return row({
    ...fields,
    value: (_, demand, selection) => (demand.isCut ? CUT : of(part(demand, selection), demand)),
  })
}

/** What the selected queues want, together. */
function part({ whole, queues }: Demand, selection: Selection): QueueDemand {
  if (selection.queues === undefined) return whole
  return selection.queues.map((name) => queues.get(name) ?? NO_DEMAND).reduce(addDemands, NO_DEMAND)
}

/** The published size: of all queues, or of those selected, whichever wants most. */
function desired({ sizes }: Snapshot, { queues }: Selection): number | Unknown {
  const { wanted, drained } = sizes
  if (wanted.kind === 'unknown') return wanted
  if (queues === undefined) return drained ?? wanted.whole
  // Ranks are drained for one size only.
  return Math.max(drained ?? 0, ...queues.map((name) => wanted.queues.get(name) ?? 0))
}

/** With drains a rank that is there and may be given jobs is as good as busy. */
function floor({ sizes, ranks }: Snapshot, demand: Demand): number {
  if (sizes.drained === undefined) return demand.floor
  return Math.max(demand.floor, sizeWith(ranks.open))
}

function quantile(descending: readonly number[], share: number): number {
  const index = Math.max(0, descending.length - Math.ceil(share * descending.length))
  return descending[index] ?? 0
}

/** The rows, in the order in which README and discovery list them. */
export const SCALING_METRICS: readonly Metric[] = [
  row({
    name: 'node_desired_count',
    help: 'The size that the MiniCluster should have: every busy rank and every rank that pending jobs would be given is in it; it falls when it has been less for the idle grace',
    unit: 'nodes',
    isSum: false,
    value: (snapshot, _, selection) => desired(snapshot, selection),
  }),
  row({
    name: 'node_desired_compensated_count',
    help: 'The size of node_desired_count, or the next that the default tolerance of an HPA (10 %) does not ignore, where it would ignore growth',
    unit: 'nodes',
    isSum: false,
    value: (snapshot, _, selection) => {
      const size = desired(snapshot, selection)
      const present = sizeWith(snapshot.ranks.live)
      return typeof size === 'number' ? compensatedSize(size, present) : size
    },
  }),
  row({
    name: 'node_floor_count',
    help: '1 + the highest rank that is busy: allocated, in housekeeping, or released within the idle grace; fewer nodes would end a job',
    unit: 'nodes',
    isSum: false,
    value: (snapshot, demand) => floor(snapshot, demand),
  }),
  row({
    name: 'node_demand_count',
    help: 'Nodes that hold jobs or would be given pending ones, wherever they are; all of R if there are more pending jobs than we list',
    unit: 'nodes',
    isSum: false,
    value: (_, demand, selection) => {
      if (demand.unknownPlaces !== undefined) return demand.unknownPlaces
      return demand.isCut ? demand.maximum : demandedNodes(part(demand, selection))
    },
  }),
  pending(
    {
      name: 'node_pending_count',
      help: 'Nodes that eligible pending jobs ask for, those without a number of nodes by their cores; not to scale on: it falls when work starts',
      unit: 'nodes',
    },
    ({ pendingNodes }, { unknownPlaces }) => unknownPlaces ?? pendingNodes,
  ),
  pending(
    {
      name: 'node_cores_pending_count',
      help: 'Cores that eligible pending jobs ask for, whole nodes by their cores',
      unit: 'cores',
    },
    ({ pendingCores }) => pendingCores,
  ),
  pending(
    {
      name: 'node_gpus_pending_count',
      help: 'GPUs that eligible pending jobs ask for; Flux tells them to its owner only',
      unit: 'gpus',
    },
    ({ pendingGpus }, { unknownRequests }) => pendingGpus ?? unknownRequests ?? CUT,
  ),
  row({
    name: 'node_stranded_count',
    help: 'Ranks below node_floor_count that are not busy: what a job on a high rank costs',
    unit: 'nodes',
    isSum: false,
    value: (_, { floor: size, busy }) => size - countIds(busy),
  }),
  pending(
    {
      name: 'job_held_count',
      help: 'Pending jobs that their user holds (priority 0): no demand',
      unit: 'jobs',
    },
    ({ held }) => held,
  ),
  pending(
    {
      name: 'job_infeasible_count',
      help: 'Pending jobs that ask for more than their queue has in R: they never start',
      unit: 'jobs',
    },
    ({ infeasible }) => infeasible,
  ),
  row({
    name: 'job_refused_count',
    help: `Jobs that the scheduler refused within ${FAILED_SECONDS / 60} minutes because they ask for more nodes than are up (Fluxion with fcfs): demand that is lost`,
    unit: 'jobs',
    value: ({ failed }, _, { queues }) => {
      if (isUnknown(failed)) return failed
      return failed.filter((job) => isRefused(job) && isIn(queues, job.queue)).length
    },
  }),
  pending(
    {
      name: 'job_wait_seconds_max',
      help: 'How long the eligible pending job that waits longest has waited since its submission',
      unit: 'seconds',
      isSum: false,
    },
    ({ waits }) => waits[0] ?? 0,
  ),
  pending(
    {
      name: 'job_wait_seconds_p90',
      help: 'How long nine tenths of the eligible pending jobs have waited at most',
      unit: 'seconds',
      isSum: false,
    },
    ({ waits }) => quantile(waits, 0.9),
  ),
  row({
    name: 'job_start_seconds',
    help: 'In how long the scheduler expects to start the next job; 503 where it says nothing (fcfs)',
    unit: 'seconds',
    isSum: false,
    value: (_, demand, selection) => part(demand, selection).startSeconds ?? NO_ESTIMATE,
  }),
  {
    name: 'snapshot_age_seconds',
    help: 'How long ago Flux was read',
    unit: 'seconds',
    kind: 'gauge',
    labels: [],
    isOfNow: true,
    value: ({ takenAt }) => Math.max(0, Date.now() - takenAt.getTime()) / 1000,
  },
]

function isIn(queues: readonly string[] | undefined, queue: string | undefined): boolean {
  return queues === undefined || (queue !== undefined && queues.includes(queue))
}
