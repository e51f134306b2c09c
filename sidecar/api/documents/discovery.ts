// Serves discovery, the list of resources under /apis, in the plain and in the aggregated form. It needs the catalog but no
// broker: a group that cannot be discovered blocks the deletion of every namespace.
import type Router from 'koa-router'
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import { aggregateResources, VERBS } from './aggregated-form.ts'
import { derived } from './derived.ts'
import {
  CUSTOM_METRICS,
  EXTERNAL_METRICS,
  type Group,
  mergeResources,
  type OtherResources,
} from './resources.ts'
import {
  createDocument,
  type StaticDocument,
  sendDocument,
  sendTaggedDocument,
} from './static-document.ts'

/** Versions of aggregated discovery, as in the parameters of `Accept`. */
const AGGREGATED_VERSIONS = ['v2', 'v2beta1'] as const

const NO_OTHERS: OtherResources = { version: 0, resourcesOf: () => [] }

interface DiscoveryOptions {
  readonly catalog: Catalog
  readonly external: boolean
  /** Resources to list behind our own. */
  readonly others?: OtherResources
}

/** The present content of the documents. */
interface Content {
  readonly metrics: readonly Metric[]
  readonly others: OtherResources
}

/** Adds `/apis` and the documents below it, without the metrics, to `router`. */
export function routeDiscovery(
  router: Router,
  { catalog, external, others = NO_OTHERS }: DiscoveryOptions,
): void {
  const groups = external ? [CUSTOM_METRICS, EXTERNAL_METRICS] : [CUSTOM_METRICS]
  const groupList = createDocument({
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map(apiGroup),
  })
  const derive = <T>(make: (content: Content) => T): (() => T) =>
    derived(catalog, (metrics) => make({ metrics, others }), others)
  const aggregated = new Map<string, () => StaticDocument>(
    AGGREGATED_VERSIONS.map((version) => [
      version,
      derive((content) => aggregatedDocument(version, groups, content)),
    ]),
  )
  router.get('/apis', (ctx) => {
    ctx.set('Vary', 'Accept')
    const version = acceptedVersion(ctx.get('Accept'))
    sendTaggedDocument(ctx, aggregated.get(version ?? '')?.() ?? groupList)
  })
  for (const group of groups) {
    const document = createDocument({ kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(group) })
    router.get(`/apis/${group.name}`, (ctx) => sendDocument(ctx, document))
    for (const version of group.versions) {
      const list = derive((content) => resourceList(group, version, content))
      router.get(`/apis/${group.name}/${version}`, (ctx) => sendDocument(ctx, list()))
    }
  }
}

function apiGroup({ name, versions }: Group) {
  const served = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: served, preferredVersion: served[0] }
}

function resourcesOf(group: Group, version: string, { metrics, others }: Content) {
  return mergeResources(group.resources(metrics), others.resourcesOf(`${group.name}/${version}`))
}

function resourceList(group: Group, version: string, content: Content): StaticDocument {
  return createDocument({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${group.name}/${version}`,
    resources: resourcesOf(group, version, content).map(({ name, namespaced, kind }) => ({
      name,
      singularName: '',
      namespaced,
      kind,
      verbs: VERBS,
    })),
  })
}

function aggregatedDocument(
  aggregatedVersion: string,
  groups: readonly Group[],
  content: Content,
): StaticDocument {
  const items = groups.map((group) => ({
    metadata: { name: group.name, creationTimestamp: null },
    versions: group.versions.map((version) => ({
      version,
      freshness: 'Current',
      resources: aggregateResources(
        { group: group.name, version },
        resourcesOf(group, version, content),
      ),
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
