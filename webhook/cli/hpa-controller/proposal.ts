// The replicas that the metrics ask for: one proposal for each metric by its target, then the highest of all. Limits are in
// limits.ts; earlier syncs do not matter here. Pure.
import { type Arithmetic, arithmeticOf, type Tolerances } from './arithmetic.ts'
import { toInt32 } from './int32.ts'
import { toFloat, toMilli } from './milli-value.ts'
import type { Behavior, MetricSpec } from './spec.ts'

/** The target that a metric is compared with. */
export interface Target {
  readonly source: MetricSpec['type']
  /** `undefined` if the field that the type needs is not set: such a metric always fails. */
  readonly kind: 'Value' | 'AverageValue' | undefined
  readonly milli: number
}

/**
 * For an Object metric the type of the target decides, for an External metric the field that is set.
 *
 * @throws RangeError if the target is not a quantity
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

/**
 * @param usual the controller's default
 * @throws RangeError if a tolerance is not a quantity
 */
export function tolerancesOf(behavior: Behavior | undefined, usual: number): Tolerances {
  const [scaleUp, scaleDown] = [behavior?.scaleUp, behavior?.scaleDown].map((rules) =>
    rules?.tolerance === undefined ? usual : toFloat(rules.tolerance),
  )
  return { scaleUp: scaleUp ?? usual, scaleDown: scaleDown ?? usual }
}

/** The state that one sync decides on. */
export interface SizesAndMetrics {
  /** `spec.replicas` of the scale: `spec.size` of a MiniCluster. */
  readonly replicas: number
  /** `status.replicas` of the scale: `status.size`, which is 0 before the first resize and may lag behind. */
  readonly statusReplicas: number
  /** Running and Ready pods that the scale's selector selects; `undefined` if it selects no pod at all. */
  readonly readyPods: number | undefined
  /** Values in the order of `spec.metrics`; `undefined` if the metrics API answered an error. */
  readonly metrics: readonly (number | undefined)[]
}

/** The proposal of each metric (`undefined` if it failed), and the size that follows, or why none does. */
export type Recommendation = { readonly proposals: readonly (number | undefined)[] } & (
  | { readonly kind: 'replicas'; readonly replicas: number }
  | {
      readonly kind: 'failure'
      readonly reason: 'FailedGetObjectMetric' | 'FailedGetExternalMetric'
    }
)

/**
 * The highest of all proposals. If a metric fails, the others may only keep or raise the size. If all fail, nothing is
 * recommended.
 */
export function recommend(
  targets: readonly Target[],
  situation: SizesAndMetrics,
  tolerances: Tolerances,
  arithmetic: Arithmetic = arithmeticOf(),
): Recommendation {
  const proposals = targets.map((target, index) =>
    propose(target, situation.metrics[index], { ...situation, tolerances, arithmetic }),
  )
  const failed = targets[proposals.indexOf(undefined)]
  const replicas = Math.max(0, ...proposals.map((proposal) => proposal ?? 0))
  const isAllFailed = proposals.every((proposal) => proposal === undefined)
  if (failed === undefined || (!isAllFailed && replicas >= situation.replicas)) {
    return { kind: 'replicas', proposals, replicas }
  }
  return { kind: 'failure', proposals, reason: `FailedGet${failed.source}Metric` }
}

/** The state and the rules by which one metric proposes a size. */
type ProposalInput = Omit<SizesAndMetrics, 'metrics'> & {
  readonly tolerances: Tolerances
  readonly arithmetic: Arithmetic
}

/** @returns `undefined` if the metric fails */
function propose(
  target: Target,
  value: number | undefined,
  input: ProposalInput,
): number | undefined {
  if (value === undefined || !Number.isFinite(value) || target.kind === undefined) return undefined
  const usage = toMilli(value)
  if (target.kind === 'Value') return proposeByRatio(usage / target.milli, input)
  return proposeByAverage(usage, target, input)
}

/** In proportion to the pods that are Ready, not to the replicas. */
function proposeByRatio(
  ratio: number,
  { replicas, readyPods, tolerances, arithmetic }: ProposalInput,
): number | undefined {
  if (arithmetic.isWithin(ratio, tolerances)) return replicas
  if (readyPods === undefined) return undefined
  return arithmetic.byValue(Math.ceil(ratio * readyPods))
}

/** The metric divided by the target. The present size matters only for the tolerance. */
function proposeByAverage(
  usage: number,
  { source, milli }: Target,
  { statusReplicas, tolerances, arithmetic }: ProposalInput,
): number {
  const isExternal = source === 'External'
  const total = isExternal ? arithmetic.totalOf(usage) : usage
  // With 0 replicas the ratio is infinite or NaN, and so never within the tolerance.
  if (arithmetic.isWithin(total / (milli * statusReplicas), tolerances)) return statusReplicas
  const replicas = Math.ceil(total / milli)
  return isExternal ? arithmetic.byAverage(replicas) : toInt32(replicas)
}
