// The HPA that we recommend for a MiniCluster. The reasons of its settings are in hpa-comments.ts. Pure.
import type { ServerVersion } from '../../kubernetes/server-version.ts'
import { isSince } from '../../kubernetes/server-version.ts'
import { readAnnotations } from '../../objects/annotations.ts'
import type { Behavior, HpaSpec, MetricSpec, ObjectReference } from '../hpa-controller/spec.ts'
import { type MiniClusterSource, refusalOf } from '../input/files/minicluster-source.ts'
import { isPlaceholder } from '../input/files/placeholder-names.ts'
import type { Path } from '../input/files/source.ts'

/** Why no HPA can scale a MiniCluster, and the path of the field in question. */
export interface Obstacle {
  readonly path: Path
  readonly problem: string
}

/** @returns `undefined` if an HPA can scale the MiniCluster */
export function obstacleTo(minicluster: MiniClusterSource): Obstacle | undefined {
  if (isPlaceholder(minicluster.metadata.name)) {
    const problem =
      'metadata.name: expected a name, got generateName alone: an HPA has the name of what it scales. Create the MiniCluster first, and pass what kubectl get prints of it'
    return { path: ['metadata'], problem }
  }
  const { size, maxSize } = minicluster.spec
  if (maxSize === 0) {
    const problem = `spec.maxSize: expected at least spec.size, ${size}, got none: without it a MiniCluster cannot grow`
    return { path: ['spec'], problem }
  }
  const refusal = refusalOf(minicluster)
  if (refusal !== undefined) {
    return { path: ['spec'], problem: `the Flux Operator refuses the MiniCluster: ${refusal}` }
  }
  const smallest = smallestSizeOf(minicluster)
  if (smallest < maxSize) return undefined
  const problem = `spec.maxSize: expected more than the smallest size, ${smallest}, got ${maxSize}: there is nothing to scale`
  return { path: ['spec', 'maxSize'], problem }
}

/** At least 1: an HPA needs a feature gate for size 0, and the operator does not accept it. */
export function smallestSizeOf({ spec: { minSize } }: MiniClusterSource): number {
  return Math.max(minSize, 1)
}

/** Every API server knows `tolerance` from this version on; 1.33 and 1.34 have a feature gate for it. */
export const TOLERANCE_SINCE = { major: 1, minor: 35 } as const

/** What the HPA depends on besides the sizes of the MiniCluster. */
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
  const minReplicas = smallestSizeOf(minicluster)
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, ...(namespace && { namespace }) },
    spec: hpaSpecFor(reference, { minReplicas, maxReplicas: minicluster.spec.maxSize }, choices),
  }
}

export function hpaSpecFor(
  target: ObjectReference,
  sizes: Pick<HpaSpec, 'maxReplicas'> & { readonly minReplicas: number },
  choices: Choices,
): HpaSpec {
  return {
    scaleTargetRef: target,
    ...sizes,
    metrics: [metricOf(target, choices)],
    behavior: behaviorFor(sizes.maxReplicas, choices),
  }
}

/** Without tolerance the HPA ignores small growth: the compensated metric allows for it. */
export function metricFor({ hasTolerance }: Choices): string {
  return hasTolerance ? 'node_desired_count' : 'node_desired_compensated_count'
}

function metricOf(describedObject: ObjectReference, choices: Choices): MetricSpec {
  const metric = { name: metricFor(choices) }
  const target = { type: 'AverageValue', averageValue: '1' } as const
  return { type: 'Object', object: { describedObject, metric, target } }
}

/** How fast the size may change. */
function behaviorFor(maxSize: number, { hasTolerance, drains }: Choices): Behavior {
  const tolerance = hasTolerance ? { tolerance: 0 } : {}
  return {
    scaleUp: {
      stabilizationWindowSeconds: 0,
      policies: [{ type: 'Pods', value: maxSize, periodSeconds: 15 }],
      ...tolerance,
    },
    scaleDown: {
      // Jobs cannot use the drained ranks during this time.
      stabilizationWindowSeconds: drains ? 60 : 300,
      policies: [{ type: 'Percent', value: 50, periodSeconds: 60 }],
      ...tolerance,
    },
  }
}
