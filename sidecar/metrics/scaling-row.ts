// The kinds of rows of scaling metrics: what they have in common, and when they are not known.
import type { EndedJob } from '#reading/facts.ts'
import { MAX_WAITING } from '#reading/jobs/pending-list.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { addDemands, NO_DEMAND, type QueueDemand } from '#scaling/placement/queue-demand.ts'
import { type Refusals, refusalsOf } from '#scaling/refusals.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import type { Metric, Selection } from './metric.ts'

/** What jobs that are not listed ask for. */
export const CUT = unknown(
  `Flux has more pending jobs than the sidecar lists (${MAX_WAITING}): what the others ask for is not known`,
)

const PARTIAL = unknown(
  'the pending jobs are too many and too different to place all: what they ask for is not added up',
)

interface Row {
  readonly name: string
  readonly help: string
  readonly unit: Metric['unit']
  readonly isSum?: boolean
  readonly isPublishedSize?: boolean
  readonly isTimeDependent?: boolean
  readonly role?: Metric['role'] & {}
  value(snapshot: Snapshot, demand: Demand, selection: Selection): number | Unknown
}

/** A metric with the label `queue`. It is not known if Flux hides jobs. */
export function row({ value, ...fields }: Row): Metric {
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

/** A number of nodes that depends on which rank is which pod. */
export function sized({ value, ...fields }: Omit<Row, 'isSum' | 'unit'>): Metric {
  return row({
    ...fields,
    unit: 'nodes',
    isSum: false,
    value: (snapshot, demand, selection) =>
      isUnknown(snapshot.pods) ? snapshot.pods : value(snapshot, demand, selection),
  })
}

/** A metric over all pending jobs. It is not known if some of them are not listed or not placed. */
export function pending(
  fields: Pick<Row, 'name' | 'help' | 'unit' | 'isSum'>,
  of: (queue: QueueDemand, demand: Demand) => number | Unknown,
): Metric {
  return row({
    ...fields,
    value: (_, demand, selection) => {
      if (demand.isPartial) return PARTIAL
      return demand.isCut ? CUT : of(demandOf(demand, selection), demand)
    },
  })
}

/** A count of refused jobs. It is not known if there are some of which the cause is not known. */
export function refused({
  of,
  ...fields
}: Pick<Row, 'name' | 'help'> & {
  readonly of: (refusals: Refusals) => readonly EndedJob[]
}): Metric {
  return row({
    ...fields,
    unit: 'jobs',
    value: (snapshot, _, { queues }) => {
      const refusals = refusalsOf(snapshot)
      if (isUnknown(refusals)) return refusals
      const count = (jobs: readonly EndedJob[]) =>
        jobs.filter(({ queue }) => isIn(queues, queue)).length
      return (count(refusals.unclear) > 0 ? refusals.reason : undefined) ?? count(of(refusals))
    },
  })
}

/** The demand of the selected queues together, or of all queues. */
export function demandOf({ whole, queues }: Demand, selection: Selection): QueueDemand {
  if (selection.queues === undefined) return whole
  return selection.queues.map((name) => queues.get(name) ?? NO_DEMAND).reduce(addDemands, NO_DEMAND)
}

/** Whether a job counts for the selected queues. */
export function isIn(queues: readonly string[] | undefined, queue: string | undefined): boolean {
  return queues === undefined || (queue !== undefined && queues.includes(queue))
}
