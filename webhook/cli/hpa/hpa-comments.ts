// Why the recommended HPA is what it is: a comment for each of its settings, read where somebody may change it. Pure.

import type { Path } from '../input/documents.ts'
import type { MiniClusterSource } from '../input/minicluster-source.ts'
import type { Comment } from '../output/commented-yaml.ts'
import { type Choices, metricFor } from './recommended-hpa.ts'

const OBJECT: Path = ['spec', 'metrics', 0, 'object']
const UP: Path = ['spec', 'behavior', 'scaleUp']
const DOWN: Path = ['spec', 'behavior', 'scaleDown']

export function commentsOn(minicluster: MiniClusterSource, choices: Choices): readonly Comment[] {
  return [
    ...onSizes(minicluster),
    ...onMetric(minicluster, choices),
    ...onGrowth(choices),
    ...onShrinking(choices),
  ]
}

function onSizes({ spec: { minSize } }: MiniClusterSource): readonly Comment[] {
  const fewest =
    minSize === 0
      ? 'The MiniCluster has no minSize. The metric is never below the quorum that Flux starts with.'
      : 'minSize of the MiniCluster: below it the Flux Operator stops acting on it.'
  const most = 'maxSize of the MiniCluster: above it the Flux Operator stops acting on it.'
  return [
    { path: ['spec', 'minReplicas'], text: fewest },
    { path: ['spec', 'maxReplicas'], text: most },
  ]
}

/** Where the namespace is not known, that of a kubectl that nobody has told another. */
const NAMESPACE = 'default'

function onMetric({ metadata }: MiniClusterSource, choices: Choices): readonly Comment[] {
  const name = metricFor(choices)
  const object = `namespaces/${metadata.namespace || NAMESPACE}/miniclusters.flux-framework.org/${metadata.name}`
  const why = choices.hasTolerance
    ? 'The size that the jobs need: with every busy rank, and with every rank that pending jobs would be given.'
    : `node_desired_count, the size that the jobs need, or the next that is not ignored: without tolerance, which is for
Kubernetes 1.35 and later, an HPA ignores a growth of up to 10 %, and a job that waits for the 11th node waits for ever.`
  const command = `kubectl get --raw /apis/custom.metrics.k8s.io/v1beta2/${object}/${name}`
  return [
    { path: [...OBJECT, 'metric', 'name'], text: `${why}\n${command}` },
    {
      path: [...OBJECT, 'target', 'type'],
      text: 'The metric is the size. By "Value" the size would be the metric times the pods that are ready.',
    },
  ]
}

function onGrowth({ hasTolerance }: Choices): readonly Comment[] {
  const tolerance = {
    path: [...UP, 'tolerance'],
    text: 'One node more counts. By default 10 % are ignored: from 10 nodes on a job that needs one more waits for ever.',
  }
  return [
    {
      path: [...UP, 'stabilizationWindowSeconds'],
      text: 'Jobs wait for their nodes: nothing is gained by a delay.',
    },
    {
      path: [...UP, 'policies'],
      text: 'A job starts when it has all of its nodes: any size at once. By default the size at most doubles, or grows by 4, in 15 s.',
    },
    ...(hasTolerance ? [tolerance] : []),
  ]
}

function onShrinking({ hasTolerance, drains }: Choices): readonly Comment[] {
  const tolerance = {
    path: [...DOWN, 'tolerance'],
    text: 'One node less counts as well. By default 10 idle nodes of 100 are kept.',
  }
  const window = drains
    ? 'The ranks to be lost are drained before the metric falls, and lost to jobs for as long as this.'
    : 'A free node may be wanted again soon, and a wrong number must last as long as this to end a pod.'
  return [
    { path: [...DOWN, 'stabilizationWindowSeconds'], text: window },
    {
      path: [...DOWN, 'policies'],
      text: 'At most half of the nodes in a minute: time to see a mistake.',
    },
    ...(hasTolerance ? [tolerance] : []),
  ]
}
