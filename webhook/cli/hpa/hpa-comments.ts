// The comments in the recommended HPA: the reason of each setting, next to the setting. Pure.
import { metricPath } from '../input/cluster/metrics-api.ts'
import type { MiniClusterSource } from '../input/files/minicluster-source.ts'
import type { Path } from '../input/files/source.ts'
import { DEFAULT_NAMESPACE } from '../input/flags.ts'
import type { Comment } from '../output/commented-yaml.ts'
import { adviseOnNodes } from './node-advice.ts'
import { type Choices, metricFor } from './recommended-hpa.ts'

const OBJECT: Path = ['spec', 'metrics', 0, 'object']
const UP: Path = ['spec', 'behavior', 'scaleUp']
const DOWN: Path = ['spec', 'behavior', 'scaleDown']

export function commentsOn(minicluster: MiniClusterSource, choices: Choices): readonly Comment[] {
  return [
    ...onNodes(minicluster),
    ...onSizes(minicluster),
    ...onMetric(minicluster, choices),
    ...onGrowth(choices),
    ...onShrinking(choices),
  ]
}

function onNodes(minicluster: MiniClusterSource): readonly Comment[] {
  const { protection, sharing } = adviseOnNodes(minicluster)
  return [
    ...(protection === undefined
      ? []
      : [{ path: ['spec', 'scaleTargetRef'], text: protection } as const]),
    { path: DOWN, text: sharing },
  ]
}

function onSizes({ spec: { minSize } }: MiniClusterSource): readonly Comment[] {
  const fewest =
    minSize === 0
      ? 'The MiniCluster has no minSize. The metric is never below the quorum that Flux starts with.'
      : 'minSize of the MiniCluster. The Flux Operator stops acting on a MiniCluster whose size is below it.'
  const most =
    'maxSize of the MiniCluster. The Flux Operator stops acting on a MiniCluster whose size is above it.'
  return [
    { path: ['spec', 'minReplicas'], text: fewest },
    { path: ['spec', 'maxReplicas'], text: most },
  ]
}

function onMetric({ metadata }: MiniClusterSource, choices: Choices): readonly Comment[] {
  const name = metricFor(choices)
  const minicluster = { name: metadata.name, namespace: metadata.namespace || DEFAULT_NAMESPACE }
  const why = choices.hasTolerance
    ? 'The size that the jobs need: it includes every busy rank, and every rank that pending jobs would use.'
    : `The size that the jobs need (node_desired_count), or the next larger size that the HPA does not ignore. Before
Kubernetes 1.35 an HPA has no tolerance setting and ignores a growth of up to 10 %: a job that needs an 11th node waits for ever.`
  const command = `kubectl get --raw ${metricPath(minicluster, name)}`
  return [
    { path: [...OBJECT, 'metric', 'name'], text: `${why}\n${command}` },
    {
      path: [...OBJECT, 'target', 'type'],
      text: 'The metric is the size. With "Value" the size would be the metric times the number of ready pods.',
    },
  ]
}

function onGrowth({ hasTolerance }: Choices): readonly Comment[] {
  const tolerance = {
    path: [...UP, 'tolerance'],
    text: 'One more node counts. By default a growth of up to 10 % is ignored: from 10 nodes on, a job that needs one more waits for ever.',
  }
  return [
    {
      path: [...UP, 'stabilizationWindowSeconds'],
      text: 'Jobs are waiting for these nodes: a delay has no benefit.',
    },
    {
      path: [...UP, 'policies'],
      text: 'A job starts only with all of its nodes, so the size grows in one step. By default it at most doubles, or grows by 4, in 15 s.',
    },
    ...(hasTolerance ? [tolerance] : []),
  ]
}

function onShrinking({ hasTolerance, drains }: Choices): readonly Comment[] {
  const tolerance = {
    path: [...DOWN, 'tolerance'],
    text: 'One node less counts too. By default 10 idle nodes of 100 would be kept.',
  }
  const window = drains
    ? 'The ranks to be removed are drained before the metric falls. Jobs cannot use them during this time.'
    : 'A free node may be needed again soon. A wrong metric ends a pod only if it lasts for this time.'
  return [
    { path: [...DOWN, 'stabilizationWindowSeconds'], text: window },
    {
      path: [...DOWN, 'policies'],
      text: 'At most half of the nodes in a minute: there is time to notice a mistake.',
    },
    ...(hasTolerance ? [tolerance] : []),
  ]
}
