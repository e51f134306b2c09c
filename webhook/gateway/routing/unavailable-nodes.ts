// Answers `node_unavailable_count`, which the gateway knows and no sidecar: as a sidecar would write it, on every path of a metric.
import type { Version } from '#api/api-group.ts'
import { DescribedObjects } from '#api/described-object.ts'
import { encodeMetricValueList } from '#api/metric-value.ts'
import { decodeSegment } from '#api/request.ts'
import { type Selector, toLabelSelector } from '#api/selectors/selector.ts'
import { expectUnlabelled } from '#api/series.ts'
import { GATEWAY_METRICS, UNAVAILABLE_NODES } from '#metrics/gateway-metrics.ts'
import { formatQuantity } from '#metrics/quantity.ts'
import { formatTime } from '#serving/time.ts'
import { METRICS_SERVICE } from '../../contract.ts'
import type { SidecarAnswer } from '../asking/sidecar-answer.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import type { Subject } from './destination.ts'
import type { RouteOptions } from './routes.ts'

interface Asked {
  readonly subject: MiniClusterName
  /** Of the metric's labels, of which it has none. */
  readonly selector: Selector
  readonly deadline: number
}

/** @throws StatusError 503 with the reason if the pods are not known; 404 if the selector wants a label */
export async function customUnavailableNodes(
  options: Pick<RouteOptions, 'shortages'>,
  asked: Asked & { readonly version: Version; readonly subject: Subject },
): Promise<SidecarAnswer> {
  const { version, subject, selector } = asked
  const { value, readAt } = await read(options, asked)
  const { reference } = describedBy(subject)
  const body = encodeMetricValueList(version, [
    {
      describedObject: reference,
      metric: UNAVAILABLE_NODES,
      selector: selector.length > 0 ? toLabelSelector(selector) : undefined,
      timestamp: new Date(readAt),
      value,
    },
  ])
  return { contentType: 'application/json', body }
}

/** @throws StatusError as {@link customUnavailableNodes} does */
export async function externalUnavailableNodes(
  options: Pick<RouteOptions, 'shortages'>,
  asked: Asked,
): Promise<SidecarAnswer> {
  const { value, readAt } = await read(options, asked)
  const { minicluster } = asked.subject
  const item = {
    metricName: UNAVAILABLE_NODES,
    metricLabels: { minicluster },
    timestamp: formatTime(new Date(readAt)),
    value,
  }
  return { contentType: 'application/json', body: JSON.stringify({ items: [item] }) }
}

async function read(
  { shortages }: Pick<RouteOptions, 'shortages'>,
  { subject, selector, deadline }: Asked,
) {
  for (const metric of GATEWAY_METRICS) expectUnlabelled(metric, selector)
  const { unavailable, readAt } = await shortages.of(subject, deadline)
  return { value: formatQuantity(unavailable), readAt }
}

/** The object in the path below a version: `/namespaces/NS/RESOURCE/NAME/`, or `/namespaces/NS/metrics/`. */
function describedBy({ namespace, minicluster, path }: Subject) {
  const objects = new DescribedObjects({ namespace, minicluster, serviceName: METRICS_SERVICE })
  const [, , , resource = '', name = ''] = path.split('/').map(decodeSegment)
  if (name === '') return objects.findNamespace(namespace)
  const [found] = objects.find({ namespace, resource, name, labelSelector: [] })
  if (found !== undefined) return found
  throw new RangeError(`Cannot find what ${path} describes`)
}
