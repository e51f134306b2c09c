// Serves discovery, the list of resources under /apis, in the plain and in the aggregated form. It needs the catalog but no
// broker: a group that cannot be discovered blocks the deletion of every namespace.
import type Router from 'koa-router'
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import {
  EXTERNAL_GROUP,
  EXTERNAL_VERSION,
  GROUP,
  MINICLUSTERS,
  NAMESPACES,
  SERVICES,
  VERSIONS,
  type Version,
} from '../api-group.ts'
import { derived } from './derived.ts'
import {
  createDocument,
  type StaticDocument,
  sendDocument,
  sendTaggedDocument,
} from './static-document.ts'

/** Versions of aggregated discovery, as in the parameters of `Accept`. */
const AGGREGATED_VERSIONS = ['v2', 'v2beta1'] as const

const RESOURCES = [
  { resource: MINICLUSTERS, namespaced: true },
  { resource: SERVICES, namespaced: true },
  { resource: NAMESPACES, namespaced: false },
] as const

/** Only `get`: with `list` or `delete`, controllers of Kubernetes would send such requests. */
const VERBS = ['get'] as const

/** A group as both forms of discovery describe it. */
interface Group {
  readonly name: string
  readonly versions: readonly {
    readonly version: string
    /** The resources of an APIResourceList. */
    resources(metrics: readonly Metric[]): readonly object[]
    /** The resources of an APIGroupDiscoveryList. */
    aggregated(metrics: readonly Metric[]): readonly object[]
  }[]
}

/** Adds `/apis` and the documents below it, without the metrics, to `router`. */
export function routeDiscovery(
  router: Router,
  { catalog, external }: { readonly catalog: Catalog; readonly external: boolean },
): void {
  const groups = external ? [CUSTOM_METRICS, EXTERNAL_METRICS] : [CUSTOM_METRICS]
  const groupList = createDocument({
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map(apiGroup),
  })
  const aggregated = new Map<string, () => StaticDocument>(
    AGGREGATED_VERSIONS.map((version) => [
      version,
      derived(catalog, (metrics) => aggregatedDocument(version, groups, metrics)),
    ]),
  )
  router.get('/apis', (ctx) => {
    ctx.set('Vary', 'Accept')
    const version = acceptedVersion(ctx.get('Accept'))
    sendTaggedDocument(ctx, aggregated.get(version ?? '')?.() ?? groupList)
  })
  for (const group of groups) routeGroup(router, group, catalog)
}

function routeGroup(router: Router, group: Group, catalog: Catalog): void {
  const document = createDocument({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) })
  router.get(`/apis/${group.name}`, (ctx) => sendDocument(ctx, document))
  for (const { version, resources } of group.versions) {
    const groupVersion = `${group.name}/${version}`
    const list = derived(catalog, (metrics) =>
      createDocument({
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion,
        resources: resources(metrics),
      }),
    )
    router.get(`/apis/${groupVersion}`, (ctx) => sendDocument(ctx, list()))
  }
}

function apiGroup({ name, versions }: Group) {
  const served = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: served, preferredVersion: served[0] }
}

const CUSTOM_METRICS: Group = {
  name: GROUP,
  versions: VERSIONS.map((version) => ({
    version,
    resources: (metrics) =>
      RESOURCES.flatMap(({ resource, namespaced }) =>
        metrics.map(({ name }) => ({
          name: `${resource}/${name}`,
          singularName: '',
          namespaced,
          kind: 'MetricValueList',
          verbs: VERBS,
        })),
      ),
    aggregated: (metrics) => RESOURCES.map((row) => aggregatedResource(version, row, metrics)),
  })),
}

const EXTERNAL_KIND = 'ExternalMetricValueList'

/** In this group each metric is a resource of its own. */
const EXTERNAL_METRICS: Group = {
  name: EXTERNAL_GROUP,
  versions: [
    {
      version: EXTERNAL_VERSION,
      resources: (metrics) =>
        metrics.map(({ name }) => ({
          name,
          singularName: '',
          namespaced: true,
          kind: EXTERNAL_KIND,
          verbs: VERBS,
        })),
      aggregated: (metrics) =>
        metrics.map(({ name }) => ({
          resource: name,
          responseKind: { group: EXTERNAL_GROUP, version: EXTERNAL_VERSION, kind: EXTERNAL_KIND },
          scope: 'Namespaced',
          singularResource: '',
          verbs: VERBS,
        })),
    },
  ],
}

function aggregatedDocument(
  aggregatedVersion: string,
  groups: readonly Group[],
  metrics: readonly Metric[],
): StaticDocument {
  const items = groups.map(({ name, versions }) => ({
    metadata: { name, creationTimestamp: null },
    versions: versions.map(({ version, aggregated }) => ({
      version,
      freshness: 'Current',
      resources: aggregated(metrics),
    })),
  }))
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

/** Metrics are subresources. Their parents are not served, so they have an empty kind and no verbs. */
function aggregatedResource(
  version: Version,
  { resource, namespaced }: (typeof RESOURCES)[number],
  metrics: readonly Metric[],
) {
  return {
    resource,
    responseKind: { group: '', version: '', kind: '' },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: '',
    verbs: [],
    subresources: metrics.map(({ name }) => ({
      subresource: name,
      responseKind: { group: GROUP, version, kind: 'MetricValueList' },
      verbs: VERBS,
    })),
  }
}

/** The version of aggregated discovery, if `Accept` lists it before any other JSON; `undefined`: the plain form. */
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
