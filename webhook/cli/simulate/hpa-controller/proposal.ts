// How many replicas the metrics ask for: each by its target, then the highest of all. No limits yet, no memory. Pure.
import { MAX_REPLICAS, toInt32 } from './int32.ts'
import { toFloat, toMilli } from './milli-value.ts'
import type { Behavior, MetricSpec } from './spec.ts'

/** What a metric is compared with. */
export interface Target {
  readonly source: MetricSpec['type']
  /** `undefined` where there is nothing to compare with: such a metric always fails. */
  readonly kind: 'Value' | 'AverageValue' | undefined
  readonly milli: number
}

/**
 * An Object metric goes by its target's type, an External one by the field that is set.
 *
 * @throws RangeError if the target is no quantity
 */
export function targetOf(metric: MetricSpec): Target {
  const { type: source } = metric
  const { type, value, averageValue } =
    source === 'Object' ? metric.object.target : metric.external.target
  const isExternal = source === 'External'
  if (averageValue !== undefined && (isExternal || type === 'AverageValue')) {
    return { source, kind: 'AverageValue', milli: toMilli(averageValue) }
  }
  if (value !== undefined && (isExternal || type === 'Value')) {
    return { source, kind: 'Value', milli: toMilli(value) }
  }
  return { source, kind: undefined, milli: 0 }
}

/** How far a metric may be from its target without any change, as a part of the target. */
export interface Tolerances {
  readonly scaleUp: number
  readonly scaleDown: number
}

/**
 * @param usual the controller's
 * @throws RangeError if a tolerance is no quantity
 */
export function tolerancesOf(behavior: Behavior | undefined, usual: number): Tolerances {
  const [scaleUp, scaleDown] = [behavior?.scaleUp, behavior?.scaleDown].map((rules) =>
    rules?.tolerance === undefined ? usual : toFloat(rules.tolerance),
  )
  return { scaleUp: scaleUp ?? usual, scaleDown: scaleDown ?? usual }
}

/** What there is to decide on in one sync. */
export interface Situation {
  /** `spec.replicas` of the scale: `spec.size` of a MiniCluster. */
  readonly replicas: number
  /** `status.replicas` of the scale: `status.size`, which is 0 before the first resize and may lag behind. */
  readonly statusReplicas: number
  /** Running and Ready pods under the scale's selector; `undefined` where it selects no pod, not even one that is not. */
  readonly readyPods: number | undefined
  /** Values in the order of `spec.metrics`; `undefined` where the metrics API answered an error. */
  readonly metrics: readonly (number | undefined)[]
}

/** What the metrics ask for: each, `undefined` if it failed, and all together, or why that is nothing. */
export type Recommendation = { readonly proposals: readonly (number | undefined)[] } & (
  | { readonly kind: 'replicas'; readonly replicas: number }
  | {
      readonly kind: 'failure'
      readonly reason: 'FailedGetObjectMetric' | 'FailedGetExternalMetric'
    }
)

/**
 * The highest of all proposals. Where a metric fails, the others may only keep or raise the size; where all fail, nothing
 * is recommended.
 */
export function recommend(
  targets: readonly Target[],
  situation: Situation,
  tolerances: Tolerances,
): Recommendation {
  const proposals = targets.map((target, index) =>
    propose(target, situation.metrics[index], { ...situation, tolerances }),
  )
  const failed = targets[proposals.indexOf(undefined)]
  const replicas = Math.max(0, ...proposals.map((proposal) => proposal ?? 0))
  const isAllFailed = proposals.every((proposal) => proposal === undefined)
  if (failed === undefined || (!isAllFailed && replicas >= situation.replicas)) {
    return { kind: 'replicas', proposals, replicas }
  }
  return { kind: 'failure', proposals, reason: `FailedGet${failed.source}Metric` }
}

type Circumstances = Omit<Situation, 'metrics'> & { readonly tolerances: Tolerances }

/** @returns `undefined` if the metric fails */
function propose(
  target: Target,
  value: number | undefined,
  circumstances: Circumstances,
): number | undefined {
  if (value === undefined || !Number.isFinite(value) || target.kind === undefined) return undefined
  const usage = toMilli(value)
  if (target.kind === 'Value') return proposeByRatio(usage / target.milli, circumstances)
  return proposeByAverage(usage, target, circumstances)
}

/** In proportion to the pods that are Ready, not to the replicas. */
function proposeByRatio(
  ratio: number,
  { replicas, readyPods, tolerances }: Circumstances,
): number | undefined {
  if (isWithin(ratio, tolerances)) return replicas
  if (readyPods === undefined) return undefined
  return toInt32(Math.min(Math.ceil(ratio * readyPods), MAX_REPLICAS))
}

/** A total of external metrics below zero is taken for one that has overflowed, and so for the highest there is. */
const OVERFLOW = 2 ** 63

/** As many as the metric is worth, whatever the size is: that is looked at for the tolerance alone. */
function proposeByAverage(
  usage: number,
  { source, milli }: Target,
  { statusReplicas, tolerances }: Circumstances,
): number {
  const isExternal = source === 'External'
  const total = isExternal && usage < 0 ? OVERFLOW : usage
  // Without replicas the ratio is infinite or no number, and so never within.
  if (isWithin(total / (milli * statusReplicas), tolerances)) return statusReplicas
  const replicas = Math.ceil(total / milli)
  return toInt32(isExternal ? Math.min(replicas, MAX_REPLICAS) : replicas)
}

function isWithin(ratio: number, { scaleUp, scaleDown }: Tolerances): boolean {
  return 1 - scaleDown <= ratio && ratio <= 1 + scaleUp
}
