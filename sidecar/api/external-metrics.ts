// The metric paths of external.metrics.k8s.io: the same catalog, selected by the labels `minicluster` and `queue`. An HPA
// adds up all items of an answer, so an answer has either the total or its parts, never both.

import type Router from 'koa-router'
import type { Catalog } from '#metrics/catalog.ts'
import { formatQuantity } from '#metrics/quantity.ts'
import type { SnapshotSource } from '#scaling/snapshot.ts'
import { printableJson } from '#serving/text.ts'
import { formatTime } from '#serving/time.ts'
import { EXTERNAL_GROUP, EXTERNAL_LABEL, EXTERNAL_VERSION } from './api-group.ts'
import type { DescribedNames } from './described-object.ts'
import { readerOf } from './reader.ts'
import { decodeSegment, expectFresh, findMetric } from './request.ts'
import { matchesLabels, parseSelector, type Selector } from './selectors/selector.ts'
import { readSeries, type Series } from './series.ts'

export interface ExternalMetricsOptions {
  readonly source: SnapshotSource
  readonly catalog: Catalog
  readonly names: DescribedNames
}

/** Adds `/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{metric}`. */
export function routeExternalMetrics(
  router: Router,
  { source, catalog, names }: ExternalMetricsOptions,
): void {
  const { minicluster } = names
  const groupVersion = `${EXTERNAL_GROUP}/${EXTERNAL_VERSION}`
  router.get(`/apis/${groupVersion}/namespaces/:namespace/:metric`, (ctx) => {
    const [namespace = '', metricName = ''] = ctx.path.split('/').slice(-2).map(decodeSegment)
    const metric = findMetric(catalog, metricName, { resource: EXTERNAL_GROUP })
    const text = new URLSearchParams(ctx.querystring).get('labelSelector') ?? ''
    const { ofCluster, ofSeries } = splitSelector(parseSelector(text, 'labelSelector'))
    const isOurs =
      namespace === names.namespace &&
      matchesLabels(ofCluster, new Map([[EXTERNAL_LABEL, minicluster]]))
    const snapshot = isOurs ? expectFresh(source.reading()) : undefined
    if (snapshot !== undefined) source.noteAnswer?.(snapshot, readerOf(ctx.req.headers, metric))
    const series = snapshot === undefined ? [] : readSeries(metric, snapshot, ofSeries)
    const toItem = ({ queue, value }: Series) => ({
      metricName,
      metricLabels: { [EXTERNAL_LABEL]: minicluster, ...(queue === undefined ? {} : { queue }) },
      timestamp: snapshot && formatTime(snapshot.takenAt),
      value: formatQuantity(value),
    })
    ctx.set('Content-Type', 'application/json')
    const list = {
      kind: 'ExternalMetricValueList',
      apiVersion: groupVersion,
      metadata: {},
      items: series.map(toItem),
    }
    ctx.body = printableJson(JSON.stringify(list))
  })
}

/** Splits the requirements into those on the MiniCluster and those on the series of a metric. */
function splitSelector(selector: Selector): {
  readonly ofCluster: Selector
  readonly ofSeries: Selector
} {
  const isOfCluster = ({ key }: Selector[number]) => key === EXTERNAL_LABEL
  return {
    ofCluster: selector.filter(isOfCluster),
    ofSeries: selector.filter((requirement) => !isOfCluster(requirement)),
  }
}
