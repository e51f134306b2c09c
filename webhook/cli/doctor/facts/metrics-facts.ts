// What the metrics API answers about one MiniCluster: its explanation, or where the user may not read that, a metric.
import { MINICLUSTERS, type Version, versionPath } from '#api/api-group.ts'
import { EXPLAIN } from '#metrics/metric.ts'
import type { ClusterObject } from '../../../objects/cluster-object.ts'
import { type ReadExplanation, readExplanation } from '../../input/cluster/explanation.ts'
import type { Api } from './api.ts'
import type { MiniClusterName } from './minicluster-facts.ts'
import { type Reading, read, senseless } from './reading.ts'

export interface MetricsFacts {
  readonly flux: Reading<ReadExplanation>
  /** The metric that HPAs follow. Read only if the explanation could not be. */
  readonly metric: Reading<unknown>
}

/** Of all metrics, also of those that its user has made. */
const WITH_VALUES = 'include=metrics'

/** The metric that is recommended for HPAs. */
const METRIC = 'node_desired_count'

/** @param version the one that HPAs use */
export async function readMetrics(
  api: Api,
  { namespace, name }: MiniClusterName,
  version: Version,
): Promise<MetricsFacts> {
  const object = `${versionPath(version)}/namespaces/${namespace}/${MINICLUSTERS}/${name}`
  const what = `${MINICLUSTERS}/${EXPLAIN} of ${namespace}/${name}`
  const answer = await api.object(`${object}/${EXPLAIN}?${WITH_VALUES}`, what)
  if (answer.kind === 'read') {
    const flux = toFlux(answer.value, what)
    return { flux, metric: flux.kind === 'read' ? read(answer.value) : flux }
  }
  const isForbidden = answer.kind === 'unread' && answer.isForbidden
  const metric = isForbidden
    ? await api.object(`${object}/${METRIC}`, `${MINICLUSTERS}/${METRIC} of ${namespace}/${name}`)
    : answer
  return { flux: answer, metric }
}

function toFlux(value: ClusterObject, what: string): Reading<ReadExplanation> {
  const explanation = readExplanation(JSON.stringify(value))
  return typeof explanation === 'string' ? senseless(what, explanation) : read(explanation)
}
