// What our Hpa says that the controller writes into the status of an HPA, in one sync after the other.

import {
  type Conditions,
  type Decision,
  HpaController,
  type HpaControllerOptions,
} from '../../webhook/cli/simulate/hpa-controller/controller.ts'
import { toMilli } from '../../webhook/cli/simulate/hpa-controller/milli-value.ts'
import type { MetricSpec } from '../../webhook/cli/simulate/hpa-controller/spec.ts'
import { type Answer, type HpaCase, targetOf } from './hpa-cases.ts'

/** What is shown of a sum below zero. */
const MAX_INT64 = 2 ** 63

/** What is compared of a status. */
export interface SyncStatus {
  readonly currentReplicas: number
  readonly desiredReplicas: number
  /** Such as `True ValidMetricFound`, by type. */
  readonly conditions: Readonly<Record<string, string>>
  /** Current values in thousandths; null for a metric that failed. */
  readonly metrics: readonly (number | null)[]
}

/** What a sync leaves behind. */
export interface Sync {
  readonly status: SyncStatus
  /** `spec.size` from then on. */
  readonly size: number
  /** Whether it asked for metrics. */
  readonly asks: boolean
}

/** Runs a case with syncs at these times, in milliseconds. */
export function simulate(
  { spec, size, statusSize, pods, answers }: HpaCase,
  times: readonly number[],
  options: HpaControllerOptions,
): readonly Sync[] {
  const hpa = new HpaController(spec, options)
  const readyPods = pods.ready + pods.others > 0 ? pods.ready : undefined
  let replicas = size
  let asked = 0
  return times.map((now) => {
    const current = answers.map((ofMetric) => ofMetric[asked] ?? 'error')
    const metrics = current.map(numberOf)
    const decision = hpa.decide({ now, replicas, statusReplicas: statusSize, readyPods, metrics })
    const asks = decision.proposals.length > 0
    const sync = {
      size: decision.replicas,
      asks,
      status: {
        currentReplicas: replicas,
        desiredReplicas: decision.desiredReplicas,
        conditions: spell(decision.conditions),
        metrics: currentValues(decision, { metrics: spec.metrics, answers: current, statusSize }),
      },
    }
    replicas = decision.replicas
    if (asks) asked += 1
    return sync
  })
}

/** A quantity that a metrics API serves, as the number that it is. */
function numberOf(answer: Answer): number | undefined {
  return answer === 'error' ? undefined : toMilli(answer) / 1000
}

function currentValues(
  { proposals }: Decision,
  {
    metrics,
    answers,
    statusSize,
  }: {
    readonly metrics: readonly MetricSpec[]
    readonly answers: readonly Answer[]
    readonly statusSize: number
  },
): readonly (number | null)[] {
  return proposals.map((proposal, index) => {
    const answer = answers[index] ?? 'error'
    const metric = metrics[index]
    if (proposal === undefined || answer === 'error' || metric === undefined) return null
    const milli = toMilli(answer)
    if (targetOf(metric).value !== undefined) return milli
    if (statusSize === 0) return null
    if (metric.type === 'External' && milli < 0) return MAX_INT64
    // Not −0.
    return Math.ceil(milli / statusSize) + 0
  })
}

function spell(conditions: Conditions): SyncStatus['conditions'] {
  const entries = Object.entries(conditions).map(([type, { status, reason }]) => [
    type,
    `${status ? 'True' : 'False'} ${reason}`,
  ])
  return Object.fromEntries(entries)
}
