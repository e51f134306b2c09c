// Serves the explanation of the size, as JSON or text: at `/explain`, and as a subresource of the objects that have
// metrics, so that a user who may read metrics can read it with `kubectl get --raw`.
import type { Context } from 'koa'
import type Router from 'koa-router'
import { explain } from '#explaining/explanation.ts'
import { formatExplanation } from '#explaining/text.ts'
import { EXPLAIN } from '#metrics/metric.ts'
import type { SnapshotSource } from '#scaling/snapshot.ts'
import { badRequest } from '#serving/status.ts'
import { quote } from '#serving/text.ts'
import { VERSIONS, versionPath } from './api-group.ts'
import { type DescribedNames, DescribedObjects } from './described-object.ts'
import { decodeSegment, expectFresh } from './request.ts'

const FORMATS = ['json', 'text'] as const

type Format = (typeof FORMATS)[number]

export interface ExplainOptions {
  readonly source: SnapshotSource
  readonly names: DescribedNames
}

/**
 * Adds the paths. The paths under the API group must be added before the metric paths, which would match them. The
 * object is checked as it is for a metric.
 */
export function routeExplain(router: Router, { source, names }: ExplainOptions): void {
  const objects = new DescribedObjects(names)
  router.get(`/${EXPLAIN}`, (ctx) => respond(ctx, source))
  for (const version of VERSIONS) {
    const path = versionPath(version)
    router.get(`${path}/namespaces/:namespace/:resource/:name/${EXPLAIN}`, (ctx) => {
      const [, , namespace, resource, name] = ctx.path.slice(path.length).split('/')
      objects.find({
        namespace: decodeSegment(namespace),
        resource: decodeSegment(resource),
        name: decodeSegment(name),
        labelSelector: [],
      })
      respond(ctx, source)
    })
  }
}

function respond(ctx: Context, source: SnapshotSource): void {
  const format = formatFor(ctx)
  const explanation = explain(expectFresh(source.reading()), new Date())
  ctx.vary('Accept')
  if (format === 'text') {
    ctx.set('Content-Type', 'text/plain; charset=utf-8')
    ctx.body = formatExplanation(explanation)
  } else {
    ctx.set('Content-Type', 'application/json')
    ctx.body = JSON.stringify(explanation)
  }
}

/** The format by the parameter `format`, else by `Accept`. kubectl needs the parameter: it always accepts JSON. */
function formatFor(ctx: Context): Format {
  const asked = new URLSearchParams(ctx.querystring).get('format')
  if (asked === null)
    return ctx.accepts('application/json', 'text/plain') === 'text/plain' ? 'text' : 'json'
  const format = FORMATS.find((candidate) => candidate === asked)
  if (format === undefined) {
    throw badRequest(`Cannot answer with format ${quote(asked)}: expected ${FORMATS.join(' or ')}`)
  }
  return format
}
