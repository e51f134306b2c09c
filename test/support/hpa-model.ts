// The statuses that the controller would write into an HPA in a series of syncs, according to our HpaController.
import { type Arithmetic, arithmeticOf } from '../../webhook/cli/hpa-controller/arithmetic.ts'
import {
  type Conditions,
  type Decision,
  HpaController,
  type HpaControllerOptions,
} from '../../webhook/cli/hpa-controller/controller.ts'
import { toMilli } from '../../webhook/cli/hpa-controller/milli-value.ts'
import type { MetricSpec } from '../../webhook/cli/hpa-controller/spec.ts'
import { type Answer, type HpaCase, targetOf } from './hpa-cases.ts'

const MAX_INT64 = 2 ** 63

/** The part of a status that is compared. */
export interface SyncStatus {
  readonly currentReplicas: number
  readonly desiredReplicas: number
  /** Such as `True ValidMetricFound`, by type. */
  readonly conditions: Readonly<Record<string, string>>
  /** Current values in thousandths; null for a metric that failed. */
  readonly metrics: readonly (number | null)[]
}

/** The result of a sync. */
export interface Sync {
  readonly status: SyncStatus
  /** The new `spec.size`. */
  readonly size: number
  /** Whether it requested metrics. */
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
        conditions: formatConditions(decision.conditions),
        metrics: currentValues(decision, {
          metrics: spec.metrics,
          answers: current,
          statusSize,
          arithmetic: arithmeticOf(options.minor),
        }),
      },
    }
    replicas = decision.replicas
    if (asks) asked += 1
    return sync
  })
}

/** The number of a quantity that a metrics API serves. */
function numberOf(answer: Answer): number | undefined {
  return answer === 'error' ? undefined : toMilli(answer) / 1000
}

function currentValues(
  { proposals }: Decision,
  {
    metrics,
    answers,
    statusSize,
    arithmetic,
  }: {
    readonly metrics: readonly MetricSpec[]
    readonly answers: readonly Answer[]
    readonly statusSize: number
    readonly arithmetic: Arithmetic
  },
): readonly (number | null)[] {
  return proposals.map((proposal, index) => {
    const answer = answers[index] ?? 'error'
    const metric = metrics[index]
    if (proposal === undefined || answer === 'error' || metric === undefined) return null
    const milli = toMilli(answer)
    if (targetOf(metric).value !== undefined) return milli
    if (statusSize === 0) return null
    const total = metric.type === 'External' ? arithmetic.totalOf(milli) : milli
    // The highest number is shown as it is. + 0 turns −0 into 0.
    return total === MAX_INT64 ? total : Math.ceil(total / statusSize) + 0
  })
}

function formatConditions(conditions: Conditions): SyncStatus['conditions'] {
  const entries = Object.entries(conditions).map(([type, { status, reason }]) => [
    type,
    `${status ? 'True' : 'False'} ${reason}`,
  ])
  return Object.fromEntries(entries)
}
