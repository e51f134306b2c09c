// Paths of objects in the Kubernetes API, for the kinds that the webhook reads and writes. Pure.

/** The plural names of kinds: exactly those that RBAC allows webhook and gateway. */
const PLURALS: ReadonlyMap<string, string> = new Map([
  ['APIService', 'apiservices'],
  ['ClusterRole', 'clusterroles'],
  ['ConfigMap', 'configmaps'],
  ['EndpointSlice', 'endpointslices'],
  ['Event', 'events'],
  ['Job', 'jobs'],
  ['Lease', 'leases'],
  ['LimitRange', 'limitranges'],
  ['MiniCluster', 'miniclusters'],
  ['MutatingWebhookConfiguration', 'mutatingwebhookconfigurations'],
  ['Pod', 'pods'],
  ['ResourceQuota', 'resourcequotas'],
  ['Secret', 'secrets'],
  ['Service', 'services'],
  ['TokenReview', 'tokenreviews'],
])

const API_VERSION = /^(?:[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?v[a-z0-9]{1,62}$/

/** RFC 1123 subdomain. Names are checked because they are read from owner references and tokens, which users control. */
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

const MAX_NAME_LENGTH = 253

/**
 * The path of an object, or of its collection without `name`.
 *
 * @returns `undefined` if no object can exist there: the kind is unknown, or the API version or a name is invalid
 */
export function pathOf(place: {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name?: string
}): string | undefined {
  const { apiVersion, kind, namespace, name } = place
  const plural = PLURALS.get(kind)
  if (plural === undefined || !API_VERSION.test(apiVersion)) return undefined
  if (![namespace, name].every((text) => text === undefined || isName(text))) return undefined
  return [
    apiVersion.includes('/') ? '/apis' : '/api',
    apiVersion,
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    plural,
    ...(name === undefined ? [] : [name]),
  ].join('/')
}

function isName(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && NAME.test(text)
}
