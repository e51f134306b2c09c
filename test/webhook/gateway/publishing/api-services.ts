// APIServices as a cluster has them: ours, those of overlays/direct, and of another adapter; and the objects beside them.
import { fail } from 'node:assert/strict'
import { METRICS_SERVICE } from '../../../../webhook/contract.ts'
import {
  API_SERVICE,
  type ApiVersion,
  apiServiceFor,
  CUSTOM,
  type Destination,
  EXTERNAL,
  type ServicePlace,
} from '../../../../webhook/gateway/publishing/api-service.ts'
import type { NewObject, ObjectMetadata } from '../../../../webhook/kubernetes/cluster.ts'

export const GATEWAY_PLACE = { namespace: 'flux-metrics', name: 'flux-metrics-gateway', port: 443 }
export const ADAPTER_PLACE = { namespace: 'monitoring', name: 'prometheus-adapter', port: 443 }
export const DIRECT_PLACE = { namespace: 'default', name: METRICS_SERVICE, port: 443 }

function nth(versions: readonly ApiVersion[], index: number): ApiVersion {
  return versions[index] ?? fail(`there is no version ${index}`)
}

export const PREFERRED = nth(CUSTOM, 0)
export const OLDER = nth(CUSTOM, 1)
export const EXTERNAL_API = nth(EXTERNAL, 0)

export const OWNER_UID = 'uid-of-the-role'

/** The bundle that the gateway has. */
export const BUNDLE = 'the bundle'

export const DESTINATION: Destination = {
  gateway: GATEWAY_PLACE,
  caBundle: Buffer.from(BUNDLE).toString('base64'),
  owner: { name: 'flux-metrics-gateway', uid: OWNER_UID },
}

/** One that leads to the gateway as it should. */
export function ours(version: ApiVersion = PREFERRED): NewObject {
  return apiServiceFor(version, DESTINATION)
}

export const KEDA_PLACE = { namespace: 'keda', name: 'keda-metrics-apiserver', port: 443 }

/** What the manifest of KEDA 2.21 makes of one of ours: `kubectl apply` leaves what it does not know. */
export function withKeda({ metadata, spec, ...rest }: NewObject = ours(EXTERNAL_API)): NewObject {
  const labels = {
    ...metadata.labels,
    'app.kubernetes.io/name': 'v1beta1.external.metrics.k8s.io',
    'app.kubernetes.io/part-of': 'keda-operator',
    'app.kubernetes.io/version': 'main',
  }
  return {
    ...rest,
    metadata: { ...metadata, labels },
    spec: { ...Object(spec), service: KEDA_PLACE },
  }
}

interface Options extends Pick<ObjectMetadata, 'labels' | 'annotations'> {
  readonly spec?: Readonly<Record<string, unknown>>
}

/** One that leads to `service`; `undefined` for one of the API server itself. */
export function leadingTo(
  service: ServicePlace | undefined,
  version: ApiVersion = PREFERRED,
  { spec, ...metadata }: Options = {},
): NewObject {
  const { group, version: name } = version
  return {
    ...API_SERVICE,
    metadata: { name: `${name}.${group}`, ...metadata },
    spec: {
      ...{ group, version: name, groupPriorityMinimum: 100, versionPriority: 100 },
      ...(service !== undefined && { service }),
      ...spec,
    },
  }
}

export const OURS_BY_LABEL = { 'flux-metrics/ca-bundle': 'true' }
export const NEVER = { 'flux-metrics/take-over': 'never' }

export const ROLE: NewObject = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'flux-metrics-gateway', uid: OWNER_UID },
}

/** The replicas that API servers find. */
export function endpoints(...ready: readonly boolean[]): NewObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'flux-metrics-gateway-x7k2p',
      namespace: GATEWAY_PLACE.namespace,
      labels: { 'kubernetes.io/service-name': GATEWAY_PLACE.name },
    },
    endpoints: ready.map((one) => ({ addresses: ['10.0.0.1'], conditions: { ready: one } })),
  }
}
