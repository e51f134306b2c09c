// Discovery: what there is under /apis, in the plain form and in the aggregated one. From the catalog, at start; it
// depends on no broker, because a group that cannot be discovered makes the deletion of every namespace hang.
import type Router from 'koa-router'
import { CATALOG } from '#metrics/catalog.ts'
import {
  GROUP,
  MINICLUSTERS,
  NAMESPACES,
  SERVICES,
  VERSIONS,
  type Version,
  versionPath,
} from './api-group.ts'
import {
  createDocument,
  type StaticDocument,
  sendDocument,
  sendTaggedDocument,
} from './static-document.ts'

/** Forms of aggregated discovery, by the parameters with which `Accept` asks for them. */
const AGGREGATED_VERSIONS = ['v2', 'v2beta1'] as const

const RESOURCES = [
  { resource: MINICLUSTERS, namespaced: true },
  { resource: SERVICES, namespaced: true },
  { resource: NAMESPACES, namespaced: false },
] as const

/** Nothing but `get`: whoever could list or delete would be asked to by the controllers of Kubernetes. */
const VERBS = ['get'] as const

/** Adds `/apis` and what is below it, but for the metrics, to `router`. */
export function routeDiscovery(router: Router): void {
  const group = apiGroup()
  const groupList = createDocument({ kind: 'APIGroupList', apiVersion: 'v1', groups: [group] })
  const groupDocument = createDocument({ kind: 'APIGroup', apiVersion: 'v1', ...group })
  const aggregated = new Map<string, StaticDocument>(
    AGGREGATED_VERSIONS.map((version) => [version, aggregatedDocument(version)]),
  )

  router.get('/apis', (ctx) => {
    ctx.set('Vary', 'Accept')
    const version = acceptedVersion(ctx.get('Accept'))
    sendTaggedDocument(ctx, aggregated.get(version ?? '') ?? groupList)
  })
  router.get(`/apis/${GROUP}`, (ctx) => sendDocument(ctx, groupDocument))
  for (const version of VERSIONS) {
    const document = createDocument(resourceList(version))
    router.get(versionPath(version), (ctx) => sendDocument(ctx, document))
  }
}

function apiGroup() {
  const versions = VERSIONS.map((version) => ({ groupVersion: `${GROUP}/${version}`, version }))
  return { name: GROUP, versions, preferredVersion: versions[0] }
}

function resourceList(version: Version) {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${GROUP}/${version}`,
    resources: RESOURCES.flatMap(({ resource, namespaced }) =>
      CATALOG.map(({ name }) => ({
        name: `${resource}/${name}`,
        singularName: '',
        namespaced,
        kind: 'MetricValueList',
        verbs: VERBS,
      })),
    ),
  }
}

function aggregatedDocument(aggregatedVersion: string): StaticDocument {
  const items = [
    {
      metadata: { name: GROUP, creationTimestamp: null },
      versions: VERSIONS.map((version) => ({
        version,
        freshness: 'Current',
        resources: RESOURCES.map((row) => aggregatedResource(version, row)),
      })),
    },
  ]
  return createDocument(
    {
      kind: 'APIGroupDiscoveryList',
      apiVersion: `apidiscovery.k8s.io/${aggregatedVersion}`,
      metadata: {},
      items,
    },
    `application/json;g=apidiscovery.k8s.io;v=${aggregatedVersion};as=APIGroupDiscoveryList`,
  )
}

/** Metrics are subresources; their parents, which we do not serve, have an empty kind and no verbs. */
function aggregatedResource(
  version: Version,
  { resource, namespaced }: (typeof RESOURCES)[number],
) {
  return {
    resource,
    responseKind: { group: '', version: '', kind: '' },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: '',
    verbs: [],
    subresources: CATALOG.map(({ name }) => ({
      subresource: name,
      responseKind: { group: GROUP, version, kind: 'MetricValueList' },
      verbs: VERBS,
    })),
  }
}

/** The aggregated form that `Accept` asks for before any other JSON; `undefined` is the plain form. */
function acceptedVersion(accept: string): string | undefined {
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    if (type !== 'application/json') continue
    const version = AGGREGATED_VERSIONS.find((candidate) => parameters.includes(`v=${candidate}`))
    const isAggregated =
      parameters.includes('g=apidiscovery.k8s.io') &&
      parameters.includes('as=APIGroupDiscoveryList')
    if (isAggregated && version !== undefined) return version
    if (!isAggregated) return undefined
  }
  return undefined
}
