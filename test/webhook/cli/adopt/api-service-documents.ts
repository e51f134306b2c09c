// APIServices as kubectl prints them.

export const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
export const OTHER_PEM = PEM.replace('AAAA', 'BBBB')

export const CUSTOM_1 = 'v1beta1.custom.metrics.k8s.io'
export const CUSTOM_2 = 'v1beta2.custom.metrics.k8s.io'
export const EXTERNAL = 'v1beta1.external.metrics.k8s.io'

export interface ApiServiceOptions {
  /** `namespace/name`; `undefined`: the API server itself. */
  readonly service?: string | undefined
  readonly port?: number
  /** PEM. */
  readonly ca?: string
  readonly insecure?: boolean
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** By default that of prometheus-adapter, with a CA. */
export function apiService(name: string, options: ApiServiceOptions = {}) {
  const { service, port, ca, insecure, labels, annotations } = {
    service: 'monitoring/prometheus-adapter',
    ...options,
  }
  const [version, ...group] = name.split('.')
  const [namespace, serviceName] = service?.split('/') ?? []
  const caBundle = ca ?? (insecure === undefined ? PEM : '')
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: {
      name,
      uid: '0d3b9c3e-5c0f-4d52-8d6b-8a1a4c6f2a11',
      resourceVersion: '1234',
      creationTimestamp: '2026-11-24T01:02:03Z',
      managedFields: [{ manager: 'helm', operation: 'Update' }],
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    spec: {
      group: group.join('.'),
      version,
      groupPriorityMinimum: 100,
      versionPriority: 100,
      ...(service === undefined ? {} : { service: { namespace, name: serviceName, port } }),
      ...(caBundle === '' ? {} : { caBundle: Buffer.from(caBundle).toString('base64') }),
      ...(insecure === undefined ? {} : { insecureSkipTLSVerify: insecure }),
    },
    status: { conditions: [{ type: 'Available', status: 'True' }] },
  }
}

/** As `kubectl get -o json` prints several objects. */
export function listOf(...items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', metadata: {}, items })
}

/** The label of what flux-metrics itself manages. */
export const OURS = { 'flux-metrics/ca-bundle': 'true' }
