// The metric paths of custom.metrics.k8s.io: decodes a request, reads the metric from the snapshot, writes the answer.
import type Router from 'koa-router'
import type { Catalog } from '#metrics/catalog.ts'
import { formatQuantity } from '#metrics/quantity.ts'
import type { SnapshotSource } from '#scaling/snapshot.ts'
import type { AnswerCache } from './answer-cache.ts'
import { VERSIONS, type Version, versionPath } from './api-group.ts'
import { type DescribedNames, type DescribedObject, DescribedObjects } from './described-object.ts'
import { type MetricTarget, targetOfNamespace, targetOfObject } from './metric-path.ts'
import { encodeMetricValueList } from './metric-value.ts'
import { readerOf } from './reader.ts'
import { expectFresh, findMetric } from './request.ts'
import { parseSelector, type Selector, toLabelSelector } from './selectors/selector.ts'
import { readValue } from './series.ts'

type Context = Router.RouterContext

export interface CustomMetricsOptions {
  readonly source: SnapshotSource
  readonly catalog: Catalog
  readonly names: DescribedNames
  /** The cache for answers that may be repeated. */
  readonly answers: AnswerCache
}

/** Adds the metric paths of both versions to `router`. */
export function routeCustomMetrics(
  router: Router,
  { source, catalog, names, answers }: CustomMetricsOptions,
): void {
  const objects = new DescribedObjects(names)

  function respond(ctx: Context, version: Version, target: MetricTarget): void {
    const { resource, name = target.namespace } = target
    const metric = findMetric(catalog, target.metric, { resource, name })
    const { labelSelector, metricSelector } = parseSelectors(ctx.querystring)
    const selector = metricSelector.length > 0 ? toLabelSelector(metricSelector) : undefined
    const found = findObjects(objects, target, labelSelector)
    ctx.set('Content-Type', 'application/json')
    if (found.length === 0) {
      ctx.body = encodeMetricValueList(version, [])
      return
    }
    const snapshot = expectFresh(source.reading())
    source.noteAnswer?.(snapshot, readerOf(ctx.req.headers, metric))
    const value = formatQuantity(readValue(metric, snapshot, metricSelector))
    const values = found.map(({ reference }) => ({
      describedObject: reference,
      metric: metric.name,
      selector,
      timestamp: snapshot.takenAt,
      value,
    }))
    const body = encodeMetricValueList(version, values)
    if (metric.isTimeDependent !== true) {
      answers.set(snapshot, ctx.url, { body, metric, route: String(ctx._matchedRoute) })
    }
    ctx.body = body
  }

  for (const version of VERSIONS) {
    const path = `${versionPath(version)}/namespaces/:namespace`
    router.get(`${path}/:resource/:name/:metric`, (ctx) =>
      respond(ctx, version, targetOfObject(ctx.path, version)),
    )
    router.get(`${path}/metrics/:metric`, (ctx) =>
      respond(ctx, version, targetOfNamespace(ctx.path, version)),
    )
  }
}

function parseSelectors(querystring: string) {
  const parameters = new URLSearchParams(querystring)
  const parse = (name: string) => parseSelector(parameters.get(name) ?? '', name)
  return { labelSelector: parse('labelSelector'), metricSelector: parse('metricLabelSelector') }
}

function findObjects(
  objects: DescribedObjects,
  { namespace, resource, name }: MetricTarget,
  labelSelector: Selector,
): readonly DescribedObject[] {
  if (name === undefined) return [objects.findNamespace(namespace)]
  return objects.find({ namespace, resource, name, labelSelector })
}
