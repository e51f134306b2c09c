// Serves the explanation of the size, as JSON or text: at `/explain`, and as a subresource of the objects that have
// metrics, so that a user who may read metrics can read it with `kubectl get --raw`.
import type { Context } from 'koa'
import type Router from 'koa-router'
import { addDetails, DETAILS, type Detail, type Remembering } from '#explaining/details.ts'
import { explain } from '#explaining/explanation.ts'
import { formatExplanation } from '#explaining/text.ts'
import type { Catalog } from '#metrics/catalog.ts'
import { EXPLAIN } from '#metrics/metric.ts'
import type { SnapshotSource } from '#scaling/snapshot.ts'
import { badRequest } from '#serving/status.ts'
import { enumerate, printableJson, quote } from '#serving/text.ts'
import { VERSIONS, versionPath } from './api-group.ts'
import { type DescribedNames, DescribedObjects } from './described-object.ts'
import { targetOfObject } from './metric-path.ts'
import { RecentExplanations } from './recent-explanations.ts'
import { expectFresh } from './request.ts'

const FORMATS = ['json', 'text'] as const

type Format = (typeof FORMATS)[number]

export interface ExplainOptions {
  readonly source: SnapshotSource
  readonly names: DescribedNames
  readonly lastHour: Remembering
  readonly catalog: Catalog
}

/**
 * Adds the paths. The paths under the API group must be added before the metric paths, which would match them. The
 * object is checked as it is for a metric.
 */
export function routeExplain(router: Router, options: ExplainOptions): void {
  const objects = new DescribedObjects(options.names)
  const recent = new RecentExplanations()
  router.get(`/${EXPLAIN}`, (ctx) => respond(ctx, options, recent))
  for (const version of VERSIONS) {
    const path = versionPath(version)
    router.get(`${path}/namespaces/:namespace/:resource/:name/${EXPLAIN}`, (ctx) => {
      const { namespace, resource, name } = targetOfObject(ctx.path, version)
      objects.find({ namespace, resource, name, labelSelector: [] })
      respond(ctx, options, recent)
    })
  }
}

function respond(
  ctx: Context,
  { source, lastHour, catalog }: ExplainOptions,
  recent: RecentExplanations,
): void {
  const format = formatFor(ctx)
  const asked = detailsIn(ctx)
  const snapshot = expectFresh(source.reading())
  const question = [format, ...DETAILS.filter((detail) => asked.has(detail))].join()
  ctx.vary('Accept')
  const type = format === 'text' ? 'text/plain; charset=utf-8' : 'application/json'
  ctx.set('Content-Type', type)
  ctx.body = recent.of(snapshot, question, () => {
    const now = new Date()
    const metrics = catalog.all()
    const sources = { snapshot, now, lastHour, metrics }
    const explanation = addDetails(explain(snapshot, now), asked, sources)
    return format === 'text'
      ? formatExplanation(explanation)
      : printableJson(JSON.stringify(explanation))
  })
}

/** The details in the parameter `include`, a list with commas. */
function detailsIn(ctx: Context): ReadonlySet<Detail> {
  const asked = new URLSearchParams(ctx.querystring).get('include')
  const details = asked === null || asked === '' ? [] : asked.split(',')
  return new Set(details.map(toDetail))
}

function toDetail(name: string): Detail {
  const detail = DETAILS.find((candidate) => candidate === name)
  if (detail !== undefined) return detail
  const expected = `expected ${enumerate(DETAILS, 'or')}, or several with commas`
  throw badRequest(`Cannot include ${quote(name)}: ${expected}`)
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
