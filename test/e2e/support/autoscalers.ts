// The HorizontalPodAutoscalers of the e2e runs, as plain values.
import type { V2HorizontalPodAutoscaler, V2MetricSpec } from '@kubernetes/client-node'
import { MINICLUSTER, SERVICE } from './manifests.ts'

/**
 * The prototype's HPA: an Object metric on its Service. Its two minutes of stabilization are left out; its target is
 * the caller's, because `node_up_count` against a fixed one can go in one direction only.
 */
export function prototypeHpa(namespace: string, target: number): V2HorizontalPodAutoscaler {
  return hpa(namespace, 'flux-sample-hpa', {
    type: 'Object',
    object: {
      target: { type: 'Value', value: String(target) },
      describedObject: { kind: 'Service', name: SERVICE },
      metric: { name: 'node_up_count' },
    },
  })
}

export interface MiniClusterHpa {
  readonly name: string
  /** A metric of the MiniCluster that is its size. */
  readonly metric: string
  /** Of the jobs of one queue. Default: of all. */
  readonly queue?: string
  /** Default: 4. */
  readonly maxReplicas?: number
}

/** On a metric of the MiniCluster itself, by the target of the HPA that we recommend, but with the default tolerance. */
export function miniClusterHpa(
  namespace: string,
  { name, metric, queue, maxReplicas }: MiniClusterHpa,
): V2HorizontalPodAutoscaler {
  const spec: V2MetricSpec = {
    type: 'Object',
    object: {
      target: { type: 'AverageValue', averageValue: '1' },
      describedObject: {
        apiVersion: 'flux-framework.org/v1alpha2',
        kind: 'MiniCluster',
        name: MINICLUSTER,
      },
      metric: {
        name: metric,
        ...(queue !== undefined && { selector: { matchLabels: { queue } } }),
      },
    },
  }
  return hpa(namespace, name, spec, maxReplicas)
}

/** One node for each active job: simple, but a running job may lose its node to a shrink. */
export function activeJobsHpa(namespace: string): V2HorizontalPodAutoscaler {
  return miniClusterHpa(namespace, { name: 'flux-sample-jobs', metric: 'job_active_count' })
}

/** The size that the jobs need, by an external metric, which describes no object. */
export function externalHpa(namespace: string): V2HorizontalPodAutoscaler {
  return hpa(namespace, 'flux-sample-external', {
    type: 'External',
    external: {
      target: { type: 'AverageValue', averageValue: '1' },
      metric: {
        name: 'node_desired_count',
        selector: { matchLabels: { minicluster: MINICLUSTER } },
      },
    },
  })
}

/** On CPU: it fails where any container of the pods has no request for it. */
export function cpuHpa(namespace: string): V2HorizontalPodAutoscaler {
  return hpa(namespace, 'flux-sample-cpu', {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
  })
}

function hpa(
  namespace: string,
  name: string,
  metric: V2MetricSpec,
  maxReplicas = 4,
): V2HorizontalPodAutoscaler {
  const atOnce = {
    selectPolicy: 'Max',
    stabilizationWindowSeconds: 0,
    policies: [{ type: 'Percent', value: 100, periodSeconds: 1 }],
  }
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name, namespace },
    spec: {
      scaleTargetRef: {
        apiVersion: 'flux-framework.org/v1alpha2',
        kind: 'MiniCluster',
        name: MINICLUSTER,
      },
      minReplicas: 2,
      maxReplicas,
      metrics: [metric],
      behavior: { scaleUp: atOnce, scaleDown: atOnce },
    },
  }
}
