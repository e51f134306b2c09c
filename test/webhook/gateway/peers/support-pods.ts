// Pods with sidecars as the API server shows them: a test says what is different.

import type { ClusterObject } from '../../../../webhook/kubernetes/cluster.ts'
import { COMPLETION_INDEX } from '../../../../webhook/objects/pod.ts'

export interface PodChanges {
  readonly namespace?: string
  readonly minicluster?: string
  readonly name?: string
  /** UID of the Job. */
  readonly job?: string
  /** Seconds after a moment. */
  readonly age?: number
  readonly metadata?: object
  readonly spec?: object
  readonly status?: object
}

const EPOCH = Date.parse('2026-11-29T06:00:00Z')

export function createdAt(seconds: number): number {
  return EPOCH + seconds * 1000
}

/** A running one, with a native sidecar. */
export function sidecarPod({
  namespace = 'hpc',
  minicluster = 'flux-sample',
  name = `${minicluster}-0-abcde`,
  job = 'uid-of-job',
  age = 0,
  metadata = {},
  spec = {},
  status = {},
}: PodChanges = {}): ClusterObject {
  return {
    metadata: {
      name,
      namespace,
      uid: `uid-of-${name}`,
      creationTimestamp: new Date(createdAt(age)).toISOString(),
      labels: {
        'api-server': 'custom-metrics',
        'flux-metrics/minicluster': minicluster,
        'job-name': minicluster,
        [COMPLETION_INDEX]: '0',
      },
      annotations: { 'flux-metrics/injected': '0.1.0', [COMPLETION_INDEX]: '0' },
      ownerReferences: [
        { apiVersion: 'batch/v1', kind: 'Job', name: minicluster, uid: job, controller: true },
      ],
      ...metadata,
    },
    spec: {
      containers: [{ name: minicluster }],
      initContainers: [SIDECAR],
      ...spec,
    },
    status: {
      phase: 'Running',
      podIP: '10.1.2.3',
      initContainerStatuses: [{ name: 'flux-metrics', state: { running: {} } }],
      ...status,
    },
  }
}

export const SIDECAR = {
  name: 'flux-metrics',
  ports: [{ name: 'custom-metrics', containerPort: 8443, protocol: 'TCP' }],
  env: [{ name: 'LISTEN_PORT', value: '8443' }],
} as const
