// The metric paths of external.metrics.k8s.io for all MiniClusters: the label `minicluster` of the selector says who is asked. An
// HPA adds up all items of an answer.
import type Router from 'koa-router'
import { EXTERNAL_GROUP, EXTERNAL_LABEL, EXTERNAL_VERSION } from '#api/api-group.ts'
import { hpaController } from '#api/reader.ts'
import { decodeSegment, findMetric } from '#api/request.ts'
import { matchesLabels, parseSelector, type Selector } from '#api/selectors/selector.ts'
import { UNAVAILABLE_NODES } from '#metrics/gateway-metrics.ts'
import type { Metric } from '#metrics/metric.ts'
import { badRequest } from '#serving/status.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import { checkNumber, namesOf } from './destination.ts'
import type { RequestBudget } from './request-budget.ts'
import { askOne, deadlineOfNow, knownPeers, type RouteOptions, send } from './routes.ts'
import { askEach } from './several.ts'
import { externalUnavailableNodes } from './unavailable-nodes.ts'

/** Adds `/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{metric}`. */
export function routeExternalMetrics(
  router: Router,
  options: RouteOptions,
  budget: RequestBudget,
): void {
  const { peers, absences, catalog, upstreams } = options
  const groupVersion = `${EXTERNAL_GROUP}/${EXTERNAL_VERSION}`
  router.get(`/apis/${groupVersion}/namespaces/:namespace/:metric`, async (ctx) => {
    const [namespace = '', name = ''] = ctx.path.split('/').slice(-2).map(decodeSegment)
    const text = new URLSearchParams(ctx.querystring).get('labelSelector') ?? ''
    const selector = parseSelector(text, 'labelSelector')
    const metric = catalog.find(name)
    const isOurs = metric !== undefined && selector.some(isOfCluster)
    if (upstreams.external !== undefined && !isOurs) return upstreams.external.forward(ctx)
    const deadline = deadlineOfNow()
    const isNamed = selector.some(namesThem)
    const wanted = select(namedBy(selector, namespace), selector)
    const absent = wanted.find((one) => knownPeers(peers).find(one).kind === 'absent')
    if (absent !== undefined) throw await absences.whyAbsent(absent, deadline)
    const selected = isNamed ? wanted : select(knownPeers(peers).inNamespace(namespace), selector)
    if (selected.length === 0) findMetric(catalog, name, { resource: EXTERNAL_GROUP })
    checkSum(name, metric, selected)
    const query = text === '' ? '' : `?${new URLSearchParams({ labelSelector: text })}`
    const place = encodeURIComponent(namespace)
    const path = `/apis/${groupVersion}/namespaces/${place}/${encodeURIComponent(name)}${query}`
    const isUnavailable = name === UNAVAILABLE_NODES
    const user = hpaController(ctx.req.headers)
    const others = selector.filter((part) => !isOfCluster(part))
    const items = await askEach({
      names: selected,
      pathLength: path.length,
      share: budget.open(ctx.res, namespace),
      ask: (subject) =>
        isUnavailable
          ? externalUnavailableNodes(options, { subject, selector: others, deadline })
          : askOne(options, { ...subject, path, user }, deadline),
    })
    const body = `{"kind":"ExternalMetricValueList","apiVersion":"${groupVersion}","metadata":{},"items":[${items}]}`
    send(ctx, { contentType: 'application/json', body })
  })
}

function isOfCluster({ key }: Selector[number]): boolean {
  return key === EXTERNAL_LABEL
}

function select(
  miniclusters: readonly MiniClusterName[],
  selector: Selector,
): readonly MiniClusterName[] {
  const ofCluster = selector.filter(isOfCluster)
  return miniclusters.filter(({ minicluster }) =>
    matchesLabels(ofCluster, new Map([[EXTERNAL_LABEL, minicluster]])),
  )
}

/** Those that a selector names one by one. Without one of them the sum would be smaller, so that each must be there. */
function namedBy(selector: Selector, namespace: string): readonly MiniClusterName[] {
  const names = new Set(selector.filter(namesThem).flatMap(({ values }) => values))
  return [...names].sort().map((minicluster) => ({ namespace, minicluster }))
}

function namesThem(one: Selector[number]): boolean {
  return isOfCluster(one) && (one.operator === '=' || one.operator === 'in')
}

/** @throws StatusError 400 if an HPA would add up what must not be added, or if nobody here knows whether it may */
function checkSum(
  name: string,
  metric: Metric | undefined,
  selected: readonly MiniClusterName[],
): void {
  checkNumber(selected)
  if (selected.length < 2 || (metric !== undefined && metric.isSum !== false)) return
  throw badRequest(
    `Cannot answer for ${selected.length} MiniClusters: an HPA would add up their ${name}; ` +
      `select one by its label ${EXTERNAL_LABEL}: ${namesOf(selected)}`,
  )
}
