// The metrics that the gateway answers and no sidecar can: a sidecar sees Flux, not pods. Rows of the catalog, so that discovery
// lists them and a sidecar that is asked says who has them.
import { unknown } from '#reading/unknown.ts'
import type { Metric } from './metric.ts'

/** Which wanted ranks have no pod, as a number. */
export const UNAVAILABLE_NODES = 'node_unavailable_count'

const SEES_NO_PODS = unknown('the sidecar sees no pods; the gateway does (docs/GATEWAY.md)')

/** The rows, in the order in which the reference and discovery list them. */
export const GATEWAY_METRICS: readonly Metric[] = [
  {
    name: UNAVAILABLE_NODES,
    help: 'Wanted ranks (below spec.size) whose pods could not be scheduled, or created, for longer than a minute; only the gateway has it',
    unit: 'nodes',
    kind: 'gauge',
    labels: [],
    value: () => SEES_NO_PODS,
  },
]
