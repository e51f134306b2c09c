// What the cluster shows about a case while the controller works on it, as plain data.
import type { V2HorizontalPodAutoscaler, V2MetricStatus } from '@kubernetes/client-node'
import { toMilli } from '../../../webhook/cli/hpa-controller/milli-value.ts'
import type { MetricSpec } from '../../../webhook/cli/hpa-controller/spec.ts'
import { isOutside, isRequested, type Observed } from '../../support/hpa-conformance.ts'
import type { SyncStatus } from '../../support/hpa-model.ts'
import type { MiniCluster } from '../../support/minicluster.ts'
import type { NamedCase } from './hpa-objects.ts'
import type { Seen } from './hpa-recorder.ts'
import type { Asked } from './hpa-server.ts'

export interface Evidence {
  readonly hpas: readonly Seen<V2HorizontalPodAutoscaler>[]
  readonly miniClusters: readonly Seen<MiniCluster>[]
  readonly asked: Asked
}

export function observe(hpaCase: NamedCase, evidence: Evidence): Observed {
  const statuses = evidence.hpas.filter(({ object }) => object.status?.conditions !== undefined)
  return {
    times: timesOf(hpaCase, { firstStatusAt: statuses[0]?.at, asked: evidence.asked }),
    statuses: statuses.map(({ object }) => statusOf(object, hpaCase)),
    sizes: [hpaCase.size, ...evidence.miniClusters.map(({ object }) => object.spec.size)],
  }
}

/** The time of each sync: when it requested a metric, or, for a sync without requests, when its status appeared. */
function timesOf(
  { spec, size }: NamedCase,
  { firstStatusAt, asked }: { readonly firstStatusAt: number | undefined; readonly asked: Asked },
): readonly number[] {
  if (firstStatusAt === undefined) return []
  const requested = spec.metrics.find(isRequested)
  const times = requested === undefined ? [] : (asked[nameOf(requested)] ?? [])
  return times.length === 0 || isOutside(spec, size) ? [firstStatusAt, ...times] : times
}

function nameOf(metric: MetricSpec): string {
  return metric.type === 'Object' ? metric.object.metric.name : metric.external.metric.name
}

function statusOf({ status }: V2HorizontalPodAutoscaler, { statusSize }: NamedCase): SyncStatus {
  const { currentReplicas = 0, desiredReplicas = 0, conditions, currentMetrics } = status ?? {}
  const reasons = (conditions ?? []).map((condition) => [
    condition.type,
    `${condition.status} ${condition.reason}`,
  ])
  return {
    currentReplicas,
    desiredReplicas,
    conditions: Object.fromEntries(reasons),
    metrics: (currentMetrics ?? []).map((metric) => currentValue(metric, statusSize)),
  }
}

/** The controller shows no meaningful value for an average over no replicas. */
function currentValue({ object, external }: V2MetricStatus, statusSize: number): number | null {
  const { value, averageValue } = object?.current ?? external?.current ?? {}
  if (value !== undefined) return toMilli(value)
  return averageValue === undefined || statusSize === 0 ? null : toMilli(averageValue)
}
