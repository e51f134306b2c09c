// The metrics of nodes, cores and GPUs: rows of the catalog.
import type { NodeCounts, ResourceCounts } from '#reading/facts.ts'
import type { Metric } from './metric.ts'

/** States that depend on jobs or on people; the others are what there is. */
const NO_SUPPLY: ReadonlySet<string> = new Set<keyof NodeCounts>(['allocated', 'drained'])

function roleOf(state: string): Pick<Metric, 'role'> {
  return NO_SUPPLY.has(state) ? {} : { role: 'supply' }
}

function nodes(name: string, state: keyof NodeCounts, help: string): Metric {
  return {
    name,
    help,
    unit: 'nodes',
    kind: 'gauge',
    labels: [],
    ...roleOf(state),
    value: (snapshot) => snapshot.nodes[state],
  }
}

function resources(what: 'cores' | 'gpus', state: keyof ResourceCounts, help: string): Metric {
  return {
    name: `node_${what}_${state}_count`,
    help,
    unit: what,
    kind: 'gauge',
    labels: [],
    ...roleOf(state),
    value: (snapshot) => snapshot[what][state],
  }
}

/** The rows, in the order in which the reference and discovery list them. */
export const NODE_METRICS: readonly Metric[] = [
  nodes(
    'node_total_count',
    'total',
    'Nodes in the resource set R (every rank up to maxSize), without excluded ranks',
  ),
  nodes(
    'node_up_count',
    'up',
    'Nodes that are neither offline, drained nor torpid, nor down for the scheduler alone: total minus down',
  ),
  nodes(
    'node_down_count',
    'down',
    'Nodes that are offline, drained, torpid or down for the scheduler alone; ranks whose pod was never started are down',
  ),
  nodes('node_free_count', 'free', 'Up nodes with at least one core or GPU not allocated'),
  nodes(
    'node_allocated_count',
    'allocated',
    'Nodes with at least one core or GPU allocated, nodes in housekeeping included',
  ),
  nodes('node_idle_count', 'idle', 'Up nodes with nothing allocated'),
  nodes(
    'node_drained_count',
    'drained',
    'Nodes that are drained, whether or not a job still runs on them',
  ),
  resources('cores', 'total', 'Cores of all nodes in R'),
  resources('cores', 'up', 'Cores of up nodes'),
  resources('cores', 'allocated', 'Cores allocated to jobs'),
  resources('cores', 'free', 'Cores of up nodes that are not allocated'),
  resources('gpus', 'total', 'GPUs of all nodes in R'),
  resources('gpus', 'up', 'GPUs of up nodes'),
  resources('gpus', 'allocated', 'GPUs allocated to jobs'),
  resources('gpus', 'free', 'GPUs of up nodes that are not allocated'),
]
