// The metrics to scale on, and those that explain them: rows of the catalog. How sizes are computed is in scaling/.
import { countIds } from '#flux/sets/idset.ts'
import { FAILED_SECONDS } from '#reading/jobs/failed-jobs.ts'
import { type Unknown, unknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { compensatedSize } from '#scaling/hpa-tolerance.ts'
import { sizeWith } from '#scaling/ranks.ts'
import { demandedNodes } from '#scaling/sizes.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import type { Metric, Selection } from './metric.ts'
import { CUT, demandOf, isIn, pending, refused, row, sized } from './scaling-row.ts'
import { longestWait } from './waits.ts'

const NO_ESTIMATE = unknown('the scheduler gives no estimate')

/** The published size, or the largest size that one of the selected queues wants. */
function desired({ sizes }: Snapshot, { queues }: Selection): number | Unknown {
  const { wanted, drained } = sizes
  if (wanted.kind === 'unknown') return wanted
  if (queues === undefined) return drained ?? wanted.whole
  // Ranks are drained for the size of all queues only, so a queue's size is never below it.
  return Math.max(drained ?? 0, ...queues.map((name) => wanted.queues.get(name) ?? wanted.whole))
}

/** With drains, a live rank that is not drained counts as busy: a job may start there at any moment. */
function floor({ sizes, ranks }: Snapshot, demand: Demand): number {
  if (sizes.drained === undefined) return demand.floor
  return Math.max(demand.floor, sizeWith(ranks.open))
}

/** The rows, in the order in which the reference and discovery list them. */
export const SCALING_METRICS: readonly Metric[] = [
  sized({
    name: 'node_desired_count',
    role: 'size',
    isPublishedSize: true,
    help: 'The size that the MiniCluster should have: it has every busy rank and every rank that pending jobs would be given; it falls when a smaller size has been wanted for the idle grace',
    value: (snapshot, _, selection) => desired(snapshot, selection),
  }),
  sized({
    name: 'node_desired_compensated_count',
    role: 'size',
    isPublishedSize: true,
    help: 'The size of node_desired_count; if an HPA would ignore this growth because of its default tolerance (10 %), the next size that it does not ignore',
    value: (snapshot, _, selection) => {
      const size = desired(snapshot, selection)
      const present = sizeWith(snapshot.ranks.live)
      return typeof size === 'number' ? compensatedSize(size, present) : size
    },
  }),
  sized({
    name: 'node_floor_count',
    role: 'size',
    help: '1 + the highest rank that is busy: allocated, in housekeeping, or released within the idle grace; fewer nodes would end a job',
    value: (snapshot, demand) => floor(snapshot, demand),
  }),
  sized({
    name: 'node_demand_count',
    role: 'size',
    help: 'Nodes that hold jobs or would be given pending jobs, whatever their ranks: an HPA that follows it alone ends jobs on higher ranks; all of R if there are more pending jobs than the sidecar lists',
    value: (_, demand, selection) => {
      if (demand.unknownPlaces !== undefined) return demand.unknownPlaces
      return demand.isCut ? demand.maximum : demandedNodes(demandOf(demand, selection))
    },
  }),
  pending(
    {
      name: 'node_pending_count',
      help: 'Nodes that eligible pending jobs ask for, each by itself: a job of one core counts as a node, also if many fit on one; do not scale on it, because it falls when jobs start',
      unit: 'nodes',
    },
    ({ pendingNodes }, { unknownPlaces, unknownNeeds }) =>
      unknownPlaces ?? unknownNeeds ?? pendingNodes,
  ),
  pending(
    {
      name: 'node_cores_pending_count',
      help: 'Cores that eligible pending jobs ask for; a whole node counts as the cores of the largest node',
      unit: 'cores',
    },
    ({ pendingCores }, { unknownNeeds }) => unknownNeeds ?? pendingCores,
  ),
  pending(
    {
      name: 'node_gpus_pending_count',
      help: 'GPUs that eligible pending jobs ask for; Flux shows them to its owner only',
      unit: 'gpus',
    },
    ({ pendingGpus }, { unknownRequests, unknownNeeds }) =>
      pendingGpus ?? unknownRequests ?? unknownNeeds ?? CUT,
  ),
  sized({
    name: 'node_stranded_count',
    help: 'Ranks below node_floor_count that are not busy: the cost of a job on a high rank',
    value: (_, { floor: size, busy }) => size - countIds(busy),
  }),
  row({
    name: 'job_held_count',
    help: 'Pending jobs that are held by their user (priority 0): they are no demand',
    unit: 'jobs',
    value: (_, demand, selection) => (demand.isListCut ? CUT : demandOf(demand, selection).held),
  }),
  pending(
    {
      name: 'job_infeasible_count',
      help: 'Pending jobs that ask for more than their queue has in R: they never start',
      unit: 'jobs',
    },
    ({ infeasible }) => infeasible,
  ),
  refused({
    name: 'job_refused_count',
    help: `Jobs that the scheduler refused in the last ${FAILED_SECONDS / 60} minutes because they ask for more nodes than were up, though R has them (Fluxion with fcfs): this demand is lost`,
    of: ({ forNodes }) => forNodes,
  }),
  refused({
    name: 'job_unsatisfiable_count',
    help: `Jobs that the scheduler refused in the last ${FAILED_SECONDS / 60} minutes because R does not have what they ask for, such as GPUs: they start at no size`,
    of: ({ forGood }) => forGood,
  }),
  row({
    name: 'job_unhelped_count',
    help: 'Pending jobs that fit on free nodes, are not started, and were not helped by more nodes: see flux job eventlog',
    unit: 'jobs',
    value: ({ unstarted = [] }, { unknownPlaces }, { queues }) =>
      unknownPlaces ??
      unstarted.filter(({ size, queue }) => size === undefined && isIn(queues, queue)).length,
  }),
  pending(
    {
      name: 'job_wait_seconds_max',
      help: 'Longest time that an eligible pending job has waited since its submission',
      unit: 'seconds',
      isSum: false,
    },
    ({ waits }) => longestWait(waits, 1),
  ),
  pending(
    {
      name: 'job_wait_seconds_p90',
      help: '90th percentile of the time that eligible pending jobs have waited since their submission',
      unit: 'seconds',
      isSum: false,
    },
    ({ waits }) => longestWait(waits, 0.9),
  ),
  row({
    name: 'job_start_seconds',
    help: 'Time until the scheduler expects to start the next job; error 503 if it gives no estimate (fcfs)',
    unit: 'seconds',
    isSum: false,
    value: (_, demand, selection) => demandOf(demand, selection).startSeconds ?? NO_ESTIMATE,
  }),
  {
    name: 'snapshot_age_seconds',
    help: 'How long ago Flux was read',
    unit: 'seconds',
    kind: 'gauge',
    labels: [],
    isSum: false,
    isTimeDependent: true,
    value: ({ takenAt }) => Math.max(0, Date.now() - takenAt.getTime()) / 1000,
  },
]
