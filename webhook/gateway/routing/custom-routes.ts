// The metric paths of custom.metrics.k8s.io for all MiniClusters: finds out who is meant, and asks them.
import type { Context } from 'koa'
import type Router from 'koa-router'
import { GROUP, MINICLUSTERS, VERSIONS, type Version, versionPath } from '#api/api-group.ts'
import { type MetricTarget, targetOfNamespace, targetOfObject } from '#api/metric-path.ts'
import { hpaController } from '#api/reader.ts'
import { decodeSegment, findMetric } from '#api/request.ts'
import { parseSelector, type Selector } from '#api/selectors/selector.ts'
import { UNAVAILABLE_NODES } from '#metrics/gateway-metrics.ts'
import { EXPLAIN } from '#metrics/metric.ts'
import { Places } from '#serving/limits/places.ts'
import { badRequest, unavailable } from '#serving/status.ts'
import type { SidecarAnswer } from '../asking/sidecar-answer.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import { asMiniCluster, destinationOf, type Subject } from './destination.ts'
import { explainWithPods } from './explanation.ts'
import { overviewOf } from './overview.ts'
import type { RequestBudget, RequestShare } from './request-budget.ts'
import {
  askOne,
  type Call,
  deadlineOfNow,
  expectPresent,
  knownPeers,
  type RouteOptions,
  send,
} from './routes.ts'
import { askEach } from './several.ts'
import { customUnavailableNodes } from './unavailable-nodes.ts'

const SELECTORS = ['labelSelector', 'metricLabelSelector'] as const

/** A person waits for the list. */
const OVERVIEW_MS = 3_000

/** Questions for lists that are under way at once: sidecars that are slow take no turns of HPAs, of which there are 256. */
const OVERVIEW_PLACES = 64

/** Adds the metric paths of both versions, and `explain`: also of all MiniClusters of the cluster, for those who may read them all. */
export function routeCustomMetrics(
  router: Router,
  options: RouteOptions,
  budget: RequestBudget,
): void {
  const routes = new CustomRoutes(options, budget)
  for (const version of VERSIONS) {
    const path = `${versionPath(version)}/namespaces/:namespace`
    router.get(`${versionPath(version)}/${MINICLUSTERS}/:all/${EXPLAIN}`, (ctx, next) => {
      const isAll = decodeSegment(ctx.path.split('/').at(-2)) === '*'
      if (!isAll) return next()
      return routes.overview(
        ctx,
        version,
        budget.open(ctx.res, '*'),
        knownPeers(options.peers).all(),
      )
    })
    router.get(`${path}/:resource/:name/:metric`, (ctx) =>
      routes.answer(ctx, version, targetOfObject(ctx.path, version)),
    )
    router.get(`${path}/metrics/:metric`, (ctx) =>
      routes.answer(ctx, version, targetOfNamespace(ctx.path, version)),
    )
  }
}

class CustomRoutes {
  readonly #options: RouteOptions
  readonly #budget: RequestBudget
  readonly #overviewPlaces = new Places(OVERVIEW_PLACES)

  constructor(options: RouteOptions, budget: RequestBudget) {
    this.#options = options
    this.#budget = budget
  }

  async answer(ctx: Context, version: Version, target: MetricTarget): Promise<void> {
    const { peers, catalog, upstreams } = this.#options
    const { namespace, metric } = target
    const destination = destinationOf(target, {
      miniclusters: () => knownPeers(peers).inNamespace(namespace),
      labelSelector: () => parseParameter(ctx, 'labelSelector'),
      hasUpstream: upstreams.custom !== undefined,
      isBuiltIn: catalog.find(metric) !== undefined,
    })
    if (destination.kind === 'upstream') return upstreams.custom?.forward(ctx)
    if (destination.kind === 'nowhere') throw destination.error
    // Whoever is asked: a selector that cannot be parsed is the asker's mistake.
    for (const name of SELECTORS) parseParameter(ctx, name)
    const deadline = deadlineOfNow()
    const ask = (subject: Subject) =>
      metric === UNAVAILABLE_NODES
        ? this.#unavailableNodes(ctx, { version, subject, deadline })
        : askOne(this.#options, callOf(ctx, version, { target, subject }), deadline)
    const share = this.#budget.open(ctx.res, namespace)
    if (destination.kind === 'one') {
      const { subject } = destination
      const isExplained = target.name !== undefined && metric === EXPLAIN
      const answer = isExplained
        ? await explainWithPods(this.#options, subject, ask(subject))
        : await ask(subject)
      share.take(answer.body.length)
      return send(ctx, answer)
    }
    const { subjects: names } = destination
    if (metric === EXPLAIN && target.name === '*') return this.overview(ctx, version, share, names)
    if (metric === EXPLAIN) throw badRequest('Cannot explain several MiniClusters: name one')
    // A metric of users may have any name. Without sidecars nobody knows it.
    if (names.length === 0) findMetric(catalog, metric, { resource: target.resource })
    const [first] = names
    const pathLength = first && callOf(ctx, version, { target, subject: first }).path.length
    const items = await askEach({ names, pathLength, share, ask })
    send(ctx, { contentType: 'application/json', body: listOf(version, items) })
  }

  /** The rows of these MiniClusters, which are asked for their explanations without details. */
  async overview(
    ctx: Context,
    version: Version,
    share: RequestShare,
    names: readonly MiniClusterName[],
  ): Promise<void> {
    const deadline = performance.now() + OVERVIEW_MS
    const ask = (name: MiniClusterName) =>
      this.#overviewPlaces.run(async () => {
        if (performance.now() >= deadline) {
          throw unavailable('it was not asked in time, because other sidecars are slow')
        }
        const path = `${versionPath(version)}${asMiniCluster(name).path}${EXPLAIN}`
        return askOne(this.#options, { ...name, path, accept: 'application/json' }, deadline)
      })
    const rows = await overviewOf(names, { share, ask })
    send(ctx, { contentType: 'application/json', body: JSON.stringify(rows) })
  }

  /** No sidecar is asked: it sees no pods. */
  async #unavailableNodes(
    ctx: Context,
    { version, subject, deadline }: Answered,
  ): Promise<SidecarAnswer> {
    await expectPresent(this.#options, subject, deadline)
    const selector = parseParameter(ctx, 'metricLabelSelector')
    return customUnavailableNodes(this.#options, { version, subject, selector, deadline })
  }
}

interface Answered {
  readonly version: Version
  readonly subject: Subject
  readonly deadline: number
}

/** Of a parameter that is there twice, the first counts, as it does in a sidecar. */
function parseParameter(ctx: Context, name: (typeof SELECTORS)[number]): Selector {
  const { querystring } = ctx
  // Nearly all requests have none.
  const value = querystring === '' ? null : new URLSearchParams(querystring).get(name)
  return parseSelector(value ?? '', name)
}

/** The question in the form that is the same for all who ask for the same. */
function callOf(
  ctx: Context,
  version: Version,
  { target, subject }: { readonly target: MetricTarget; readonly subject: Subject },
): Call {
  const { name, metric } = target
  const isExplain = name !== undefined && metric === EXPLAIN
  const query = partOfQuery(ctx, isExplain ? EXPLAIN_PARAMETERS : METRIC_PARAMETERS)
  const path = `${versionPath(version)}${subject.path}${encodeURIComponent(metric)}${query}`
  if (!isExplain) return { ...subject, path, user: hpaController(ctx.req.headers) }
  const accept = ctx.accepts('application/json', 'text/plain') || 'application/json'
  return { ...subject, path, accept }
}

/** What a sidecar reads of the query, always in the same order. */
const EXPLAIN_PARAMETERS = ['format', 'include']
const METRIC_PARAMETERS = ['metricLabelSelector']

function partOfQuery(ctx: Context, names: readonly string[]): string {
  if (ctx.querystring === '') return ''
  const given = new URLSearchParams(ctx.querystring)
  const passed = new URLSearchParams()
  for (const name of names) {
    const value = given.get(name)
    if (value !== null) passed.set(name, value)
  }
  return passed.size === 0 ? '' : `?${passed}`
}

/** @param items JSON between the brackets of a list */
function listOf(version: Version, items: string): string {
  return `{"kind":"MetricValueList","apiVersion":"${GROUP}/${version}","metadata":{},"items":[${items}]}`
}
