// The objects of a MiniCluster whose lead broker has the sidecar, as an API server stores them, and the API server's answers
// to TokenReviews.
import type { ClusterObject, NewObject, ObjectReference } from '../../webhook/kubernetes/cluster.ts'

export const NAMESPACE = 'hpc'

/** The names in the certificate of its pod. */
export const NAMES = [
  'custom-metrics-apiserver.hpc.svc',
  'lammps.hpc.miniclusters.flux-metrics',
] as const

export const POD = { name: 'lammps-0-x7k2p', uid: 'uid-of-the-pod' } as const

/** The projected token of the pod's service account, for our audience. */
export const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.bm90LWEtcmVhbC10b2tlbg.c2lnbmF0dXJl'

export const MINICLUSTER = {
  apiVersion: 'flux-framework.org/v1alpha2',
  kind: 'MiniCluster',
  name: 'lammps',
  namespace: NAMESPACE,
} as const satisfies ObjectReference

const ENABLED = { 'flux-metrics/enabled': 'true' }

function controlledBy(apiVersion: string, kind: string, uid: string) {
  return [{ apiVersion, kind, name: 'lammps', uid, controller: true }]
}

export function miniCluster(metadata: NewObject['metadata'] = {}): NewObject {
  const { apiVersion, kind, name, namespace } = MINICLUSTER
  const own = { name, namespace, uid: 'uid-of-the-minicluster', annotations: ENABLED }
  return { apiVersion, kind, metadata: { ...own, ...metadata }, spec: { size: 4 } }
}

export function job(metadata: NewObject['metadata'] = {}): NewObject {
  const { apiVersion, kind, name, namespace } = MINICLUSTER
  const ownerReferences = controlledBy(apiVersion, kind, 'uid-of-the-minicluster')
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, namespace, uid: 'uid-of-the-job', ownerReferences, ...metadata },
  }
}

/** The pod's annotations. */
export const INJECTED = {
  'batch.kubernetes.io/job-completion-index': '0',
  'flux-metrics/injected': '0.1.0',
}

export const SIDECAR = { name: 'flux-metrics', image: 'sidecar:1', restartPolicy: 'Always' }

/** The index-0 pod, with the sidecar. */
export function leadBroker(
  metadata: NewObject['metadata'] = {},
  spec: Readonly<Record<string, unknown>> = {},
): NewObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...POD,
      namespace: NAMESPACE,
      labels: {
        'api-server': 'custom-metrics',
        'batch.kubernetes.io/job-completion-index': '0',
        'flux-metrics/minicluster': 'lammps',
      },
      annotations: INJECTED,
      ownerReferences: controlledBy('batch/v1', 'Job', 'uid-of-the-job'),
      ...metadata,
    },
    spec: {
      initContainers: [SIDECAR],
      containers: [{ name: 'lammps', image: 'lammps:1' }],
      ...spec,
    },
  }
}

export const GATEWAY_POD = { name: 'flux-metrics-gateway-5d8f-x2b4q', uid: 'uid-of-the-gateway' }

/** Its ServiceAccount, as a TokenReview names it. */
export const GATEWAY_USER = 'system:serviceaccount:flux-metrics:flux-metrics-gateway'

/** The names in its certificate. */
export const GATEWAY_NAMES = [
  'flux-metrics-gateway.flux-metrics.svc',
  'flux-metrics-gateway.flux-metrics.svc.cluster.local',
] as const

/** A pod of the gateway. */
export function gatewayPod(
  metadata: NewObject['metadata'] = {},
  spec: Readonly<Record<string, unknown>> = {},
): NewObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...GATEWAY_POD, namespace: 'flux-metrics', ...metadata },
    spec: {
      serviceAccountName: 'flux-metrics-gateway',
      containers: [{ name: 'gateway', image: 'webhook:1' }],
      ...spec,
    },
  }
}

/** The ConfigMap `kube-system/extension-apiserver-authentication`. */
export function requestHeader(
  clientCa: string,
  data: Readonly<Record<string, string>> = {},
): NewObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
    data: {
      'client-ca-file': 'for users, not read by us',
      'requestheader-allowed-names': '["front-proxy-client"]',
      'requestheader-client-ca-file': clientCa,
      'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
      'requestheader-group-headers': '["X-Remote-Group"]',
      'requestheader-username-headers': '["X-Remote-User"]',
      ...data,
    },
  }
}

/** Status of a TokenReview (authentication.k8s.io/v1), with the fields that we read. */
export interface ReviewStatus {
  readonly authenticated?: unknown
  readonly error?: string
  readonly audiences?: readonly string[]
  readonly user?: {
    readonly username?: string
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
}

/** An API server's answer for {@link TOKEN}. It copies the claims that name the pod. */
export function accepted(
  pod: { readonly name?: string; readonly uid?: string } = POD,
  username = `system:serviceaccount:${NAMESPACE}:default`,
): ReviewStatus {
  const claim = (key: string, value: string | undefined) =>
    value === undefined ? {} : { [`authentication.kubernetes.io/${key}`]: [value] }
  return {
    authenticated: true,
    audiences: ['flux-metrics'],
    user: { username, extra: { ...claim('pod-name', pod.name), ...claim('pod-uid', pod.uid) } },
  }
}

/** An API server's answers to reviews: it accepts only these tokens. */
export function reviewer(
  known: Readonly<Record<string, ReviewStatus>> = { [TOKEN]: accepted() },
): (review: ClusterObject) => ClusterObject {
  return (review) => {
    const { spec } = review
    const token = typeof spec === 'object' && spec !== null && 'token' in spec ? spec.token : ''
    const refused = { authenticated: false, error: '[invalid bearer token]' }
    return { ...review, status: known[String(token)] ?? refused }
  }
}
