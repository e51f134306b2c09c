// The aggregated form of discovery: one document for all groups, made from the same resources as the plain lists.
import type { ApiResource } from './resources.ts'

/** Only `get`: with `list` or `delete`, controllers of Kubernetes would send such requests. */
export const VERBS = ['get'] as const

interface GroupVersion {
  readonly group: string
  readonly version: string
}

/** A resource of an APIGroupDiscoveryList. */
interface AggregatedResource {
  readonly resource: string
  readonly responseKind: GroupVersion & { readonly kind: string }
  readonly scope: 'Namespaced' | 'Cluster'
  readonly singularResource: ''
  readonly verbs: readonly string[]
  readonly subresources?: object[]
}

/** The resources of a version. Metrics with a parent are its subresources. */
export function aggregateResources(
  { group, version }: GroupVersion,
  resources: readonly ApiResource[],
): readonly AggregatedResource[] {
  const parents = new Map<string, AggregatedResource & { readonly subresources: object[] }>()
  const aggregated: AggregatedResource[] = []
  for (const { name, namespaced, kind } of resources) {
    const scope = namespaced ? 'Namespaced' : 'Cluster'
    const responseKind = { group, version, kind }
    const [resource = '', subresource] = name.split('/')
    if (subresource === undefined) {
      aggregated.push({ resource, responseKind, scope, singularResource: '', verbs: VERBS })
      continue
    }
    const parent = parents.get(resource) ?? parentOf(resource, scope)
    if (!parents.has(resource)) aggregated.push(parent)
    parents.set(resource, parent)
    parent.subresources.push({ subresource, responseKind, verbs: VERBS })
  }
  return aggregated
}

/** The parents of metrics are not served, so they have an empty kind and no verbs. */
function parentOf(resource: string, scope: AggregatedResource['scope']) {
  const responseKind = { group: '', version: '', kind: '' }
  return {
    resource,
    responseKind,
    scope,
    singularResource: '' as const,
    verbs: [],
    subresources: [] as object[],
  }
}
