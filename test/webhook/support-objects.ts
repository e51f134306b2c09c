// A small MiniCluster with its Job and pods, and their reviews: only the fields that the webhook reads.
import { PROTECTION } from '../../webhook/contract.ts'
import type { NewObject } from '../../webhook/kubernetes/cluster.ts'
import type { MiniCluster } from '../../webhook/objects/minicluster.ts'
import { COMPLETION_INDEX, type Container, type Pod } from '../../webhook/objects/pod.ts'

export const JOB_OWNER = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  name: 'flux-sample',
  uid: 'uid-of-job',
  controller: true,
} as const

export const MINICLUSTER_OWNER = {
  apiVersion: 'flux-framework.org/v1alpha2',
  kind: 'MiniCluster',
  name: 'flux-sample',
  uid: 'uid-of-minicluster',
  controller: true,
} as const

export const ENABLED = { 'flux-metrics/enabled': 'true' } as const

/** The Job between MiniCluster and pods. */
export function job(metadata: NewObject['metadata'] = {}): NewObject {
  const { apiVersion, kind, name, uid } = JOB_OWNER
  const ownerReferences = [MINICLUSTER_OWNER]
  return {
    apiVersion,
    kind,
    metadata: { name, uid, namespace: 'default', ownerReferences, ...metadata },
  }
}

/** A scheduler without advice. */
export const SCHEDULER = { scheduler: { simple: true } } as const

/** A MiniCluster as the webhook has admitted it, enabled by default. */
export function miniCluster({
  annotations = ENABLED,
  spec = { flux: SCHEDULER },
}: {
  readonly annotations?: Readonly<Record<string, string>>
  readonly spec?: MiniCluster['spec']
} = {}) {
  const { apiVersion, kind, name, uid } = MINICLUSTER_OWNER
  const metadata = { name, uid, namespace: 'default', annotations }
  const pod = { annotations: PROTECTION }
  return { apiVersion, kind, metadata, spec: { size: 2, maxSize: 4, pod, ...spec } }
}

/** The status of a MiniCluster whose pods run, as the operator writes it. */
export const RUNNING: Pick<MiniCluster, 'status'> = {
  status: {
    conditions: [
      { type: 'JobMiniClusterReady', status: 'True' },
      { type: 'JobFinished', status: 'False' },
    ],
  },
}

/** The objects that the look-ups for a pod of an enabled MiniCluster find. */
export const OBJECTS: readonly NewObject[] = [job(), miniCluster()]

export const BROKER: Container = {
  name: 'flux-sample',
  image: 'rockylinux:9',
  volumeMounts: [{ name: 'flux-view', mountPath: '/mnt/flux' }],
}

/** The lead broker's pod as the Job controller creates it; `metadata` and `spec` replace whole fields. */
export function leadPod({
  metadata = {},
  spec = {},
}: {
  readonly metadata?: Partial<Pod['metadata']>
  readonly spec?: Partial<Pod['spec']>
} = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'flux-sample-0-',
      namespace: 'default',
      labels: { [COMPLETION_INDEX]: '0' },
      annotations: { [COMPLETION_INDEX]: '0', ...PROTECTION },
      ownerReferences: [JOB_OWNER],
      ...metadata,
    },
    spec: {
      containers: [BROKER],
      initContainers: [{ name: 'flux-view', volumeMounts: BROKER.volumeMounts }],
      volumes: [{ name: 'flux-view', emptyDir: {} }],
      automountServiceAccountToken: false,
      ...spec,
    },
  }
}

/** A lead broker's pod with more annotations. */
export function annotated(annotations: Readonly<Record<string, string>>): Pod {
  return leadPod({
    metadata: { annotations: { [COMPLETION_INDEX]: '0', ...PROTECTION, ...annotations } },
  })
}

function reviewOf(request: object) {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
}

/** The review of a pod's creation; `request` replaces whole fields. */
export function podReview(object: unknown, request: object = {}) {
  return reviewOf({
    uid: 'uid-of-review',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    namespace: 'default',
    operation: 'CREATE',
    object,
    oldObject: null,
    dryRun: false,
    ...request,
  })
}

/** The review of a MiniCluster: of an update if there is an old object, otherwise of a creation. */
export function miniClusterReview(object: unknown, oldObject: unknown = null) {
  return reviewOf({
    uid: 'uid-of-review',
    kind: { group: 'flux-framework.org', version: 'v1alpha2', kind: 'MiniCluster' },
    namespace: 'default',
    operation: oldObject === null ? 'CREATE' : 'UPDATE',
    object,
    oldObject,
  })
}
