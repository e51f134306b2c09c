// The HPA that we recommend for a MiniCluster (hpa-comments.ts has the reason for each of its settings). Pure.

import { readAnnotations } from '../../injection/annotations.ts'
import type { ServerVersion } from '../../kubernetes/server-version.ts'
import { isSince } from '../../kubernetes/server-version.ts'
import type { Path } from '../input/documents.ts'
import { type MiniClusterSource, refusalOf } from '../input/minicluster-source.ts'
import type {
  Behavior,
  HpaSpec,
  MetricSpec,
  ObjectReference,
} from '../simulate/hpa-controller/spec.ts'

/** Why no HPA can scale a MiniCluster, and which part of it says so. */
export interface Obstacle {
  readonly path: Path
  readonly problem: string
}

/** @returns `undefined` if there is none */
export function obstacleTo(minicluster: MiniClusterSource): Obstacle | undefined {
  const { size, maxSize } = minicluster.spec
  if (maxSize === 0) {
    const problem = `spec.maxSize: expected at least spec.size, ${size}, got none: without it a MiniCluster cannot grow`
    return { path: ['spec'], problem }
  }
  const refusal = refusalOf(minicluster)
  if (refusal !== undefined) {
    return { path: ['spec'], problem: `the Flux Operator refuses the MiniCluster: ${refusal}` }
  }
  const fewest = fewestOf(minicluster)
  if (fewest < maxSize) return undefined
  const problem = `spec.maxSize: expected more than the fewest nodes, ${fewest}, got ${maxSize}: there is nothing to scale`
  return { path: ['spec', 'maxSize'], problem }
}

/** An HPA without a special feature of the server has at least one replica; the operator minds 0 as well. */
function fewestOf({ spec: { minSize } }: MiniClusterSource): number {
  return Math.max(minSize, 1)
}

/** From this version on every API server knows `tolerance`; 1.33 and 1.34 do if a feature gate says so. */
const TOLERANCE_SINCE = { major: 1, minor: 35 } as const

/** What is not the same for every MiniCluster, besides its sizes. */
export interface Choices {
  /** Whether the API server knows the tolerance of an HPA. */
  readonly hasTolerance: boolean
  /** Whether ranks are drained in Flux before the metric falls. */
  readonly drains: boolean
}

export function choicesFor(
  { metadata, spec }: MiniClusterSource,
  serverVersion: ServerVersion,
): Choices {
  const { settings } = readAnnotations(spec.pod.annotations, metadata.annotations)
  return {
    hasTolerance: isSince(serverVersion, TOLERANCE_SINCE),
    drains: settings.drain === true,
  }
}

export interface RecommendedHpa {
  readonly apiVersion: 'autoscaling/v2'
  readonly kind: 'HorizontalPodAutoscaler'
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: HpaSpec
}

/**
 * The HPA for a MiniCluster that has no {@link obstacleTo} it.
 *
 * @param apiVersion of the MiniCluster
 */
export function recommendHpa(
  apiVersion: string,
  minicluster: MiniClusterSource,
  choices: Choices,
): RecommendedHpa {
  const { name, namespace } = minicluster.metadata
  const reference = { apiVersion, kind: 'MiniCluster', name }
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, ...(namespace && { namespace }) },
    spec: {
      scaleTargetRef: reference,
      minReplicas: fewestOf(minicluster),
      maxReplicas: minicluster.spec.maxSize,
      metrics: [metricOf(reference, choices)],
      behavior: behaviorFor(minicluster.spec.maxSize, choices),
    },
  }
}

/** Where a little growth is ignored, a metric that knows of it. */
export function metricFor({ hasTolerance }: Choices): string {
  return hasTolerance ? 'node_desired_count' : 'node_desired_compensated_count'
}

function metricOf(describedObject: ObjectReference, choices: Choices): MetricSpec {
  const metric = { name: metricFor(choices) }
  const target = { type: 'AverageValue', averageValue: '1' } as const
  return { type: 'Object', object: { describedObject, metric, target } }
}

/** How fast sizes may change. */
export function behaviorFor(maxSize: number, { hasTolerance, drains }: Choices): Behavior {
  const tolerance = hasTolerance ? { tolerance: 0 } : {}
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      policies: [{ type: 'Pods', value: maxSize, periodSeconds: 15 }],
      ...tolerance,
    },
    scaleDown: {
      // The drained ranks are lost to jobs for as long.
      stabilizationWindowSeconds: drains ? 60 : 300,
      policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
      ...tolerance,
    },
  }
}
