// The metric paths of custom.metrics.k8s.io for all MiniClusters: finds out who is meant, and asks them.
import type { Context } from 'koa'
import type Router from 'koa-router'
import { GROUP, VERSIONS, type Version, versionPath } from '#api/api-group.ts'
import { decodeSegment, findMetric } from '#api/request.ts'
import { parseSelector } from '#api/selectors/selector.ts'
import { EXPLAIN } from '#metrics/metric.ts'
import { badRequest } from '#serving/status.ts'
import { destinationOf, type ObjectTarget, type Subject } from './object-target.ts'
import { askOne, type Call, deadlineOfNow, expectPeers, type RouteOptions, send } from './routes.ts'
import { askEach } from './several.ts'

/** Adds the metric paths of both versions, and `explain`. */
export function routeCustomMetrics(router: Router, options: RouteOptions): void {
  const routes = new CustomRoutes(options)
  for (const version of VERSIONS) {
    const path = `${versionPath(version)}/namespaces/:namespace`
    router.get(`${path}/:resource/:name/:metric`, (ctx) =>
      routes.answer(ctx, version, targetOf(ctx, version)),
    )
    router.get(`${path}/metrics/:metric`, (ctx) =>
      routes.answer(ctx, version, namespaceTargetOf(ctx, version)),
    )
  }
}

class CustomRoutes {
  readonly #options: RouteOptions

  constructor(options: RouteOptions) {
    this.#options = options
  }

  async answer(ctx: Context, version: Version, target: ObjectTarget): Promise<void> {
    const { peers, catalog, upstreams } = this.#options
    const parameters = new URLSearchParams(ctx.querystring)
    const { namespace, metric } = target
    expectPeers(peers)
    const destination = destinationOf(target, labelSelectorOf(parameters), {
      miniclusters: peers.inNamespace(namespace),
      hasUpstream: upstreams.custom !== undefined,
      isBuiltIn: catalog.find(metric) !== undefined,
    })
    const deadline = deadlineOfNow()
    const ask = (subject: Subject) =>
      askOne(this.#options, callOf(ctx, version, { target, subject }), deadline)
    switch (destination.kind) {
      case 'one':
        send(ctx, await ask(destination.subject))
        return
      case 'each': {
        const { subjects } = destination
        if (metric === EXPLAIN) throw badRequest('Cannot explain several MiniClusters: name one')
        // A metric of users may have any name. Without sidecars nobody knows it.
        if (subjects.length === 0) findMetric(catalog, metric, { resource: target.resource })
        const items = await askEach(subjects, ask)
        send(ctx, { contentType: 'application/json', body: listOf(version, items) })
        return
      }
      case 'upstream':
        await upstreams.custom?.forward(ctx)
        return
      case 'nowhere':
        throw destination.error
    }
  }
}

/** `/namespaces/{namespace}/{resource}/{name}/{metric}` */
function targetOf(ctx: Context, version: Version): ObjectTarget {
  const [, , namespace, resource, name, metric] = segmentsOf(ctx, version)
  return {
    namespace: decodeSegment(namespace),
    resource: decodeSegment(resource),
    name: decodeSegment(name),
    metric: decodeSegment(metric),
  }
}

/** `/namespaces/{namespace}/metrics/{metric}` */
function namespaceTargetOf(ctx: Context, version: Version): ObjectTarget {
  const [, , namespace, , metric] = segmentsOf(ctx, version)
  const names = { namespace: decodeSegment(namespace), metric: decodeSegment(metric) }
  return { ...names, resource: 'namespaces', name: undefined }
}

function segmentsOf(ctx: Context, version: Version): readonly string[] {
  return ctx.path.slice(versionPath(version).length).split('/')
}

function labelSelectorOf(parameters: URLSearchParams) {
  parseSelector(parameters.get('metricLabelSelector') ?? '', 'metricLabelSelector')
  return parseSelector(parameters.get('labelSelector') ?? '', 'labelSelector')
}

/** The question in the form that is the same for all who ask for the same. */
function callOf(
  ctx: Context,
  version: Version,
  { target, subject }: { readonly target: ObjectTarget; readonly subject: Subject },
): Call {
  const { name, metric } = target
  const isExplain = name !== undefined && metric === EXPLAIN
  const parameter = isExplain ? 'format' : 'metricLabelSelector'
  const value = new URLSearchParams(ctx.querystring).get(parameter)
  const query = value === null ? '' : `?${new URLSearchParams({ [parameter]: value })}`
  const path = `${versionPath(version)}${subject.path}${encodeURIComponent(metric)}${query}`
  const accept = ctx.accepts('application/json', 'text/plain') || 'application/json'
  return { ...subject, path, ...(isExplain ? { accept } : {}) }
}

function listOf(version: Version, items: readonly unknown[]): string {
  return JSON.stringify({
    kind: 'MetricValueList',
    apiVersion: `${GROUP}/${version}`,
    metadata: {},
    items,
  })
}
