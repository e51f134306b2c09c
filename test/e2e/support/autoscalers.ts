// The HorizontalPodAutoscalers of the e2e runs, as plain values.
import type { V2HorizontalPodAutoscaler, V2MetricSpec } from '@kubernetes/client-node'
import { MINICLUSTER, SERVICE } from './manifests.ts'

/**
 * The prototype's HPA: an Object metric on its Service, without its two minutes of stabilization. The caller chooses the
 * target, because with a fixed one `node_up_count` can only grow or only shrink the MiniCluster.
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
  /** Name of the MiniCluster. Default: {@link MINICLUSTER}. */
  readonly miniCluster?: string
  /** A metric of the MiniCluster that is its size. */
  readonly metric: string
  /** Counts only the jobs of this queue. Default: all jobs. */
  readonly queue?: string
  /** Default: 4. */
  readonly maxReplicas?: number
}

/** An HPA on a metric of the MiniCluster itself, with the target that we recommend, but with the default tolerance. */
export function miniClusterHpa(
  namespace: string,
  { name, miniCluster = MINICLUSTER, metric, queue, maxReplicas }: MiniClusterHpa,
): V2HorizontalPodAutoscaler {
  const spec: V2MetricSpec = {
    type: 'Object',
    object: {
      target: { type: 'AverageValue', averageValue: '1' },
      describedObject: {
        apiVersion: 'flux-framework.org/v1alpha2',
        kind: 'MiniCluster',
        name: miniCluster,
      },
      metric: {
        name: metric,
        ...(queue !== undefined && { selector: { matchLabels: { queue } } }),
      },
    },
  }
  return hpa(namespace, name, spec, { maxReplicas, miniCluster })
}

/** One node for each active job: simple, but a running job may lose its node to a shrink. */
export function activeJobsHpa(namespace: string): V2HorizontalPodAutoscaler {
  return miniClusterHpa(namespace, { name: 'flux-sample-jobs', metric: 'job_active_count' })
}

/** An HPA on the size that the jobs need, as an external metric, which describes no object. */
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

/** An HPA on CPU. It fails if any container of the pods has no CPU request. */
export function cpuHpa(namespace: string): V2HorizontalPodAutoscaler {
  return hpa(namespace, 'flux-sample-cpu', {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
  })
}

/** An HPA that gives a Deployment one to four pods. */
export function deploymentHpa(
  namespace: string,
  deployment: string,
  metric: V2MetricSpec,
): V2HorizontalPodAutoscaler {
  return hpa(namespace, deployment, metric, { deployment })
}

interface Target {
  readonly maxReplicas?: number | undefined
  readonly miniCluster?: string
  /** Instead of a MiniCluster. */
  readonly deployment?: string
}

function hpa(
  namespace: string,
  name: string,
  metric: V2MetricSpec,
  { maxReplicas = 4, miniCluster = MINICLUSTER, deployment }: Target = {},
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
      scaleTargetRef:
        deployment === undefined
          ? { apiVersion: 'flux-framework.org/v1alpha2', kind: 'MiniCluster', name: miniCluster }
          : { apiVersion: 'apps/v1', kind: 'Deployment', name: deployment },
      minReplicas: deployment === undefined ? 2 : 1,
      maxReplicas,
      metrics: [metric],
      behavior: { scaleUp: atOnce, scaleDown: atOnce },
    },
  }
}
