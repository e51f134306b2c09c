// Random cases for an HPA: a size, a spec, and the answers of the metrics in a series of syncs. Many values are at the edges of
// the rules: at the limits of tolerances, next to the bounds, on both sides of windows.
import fc from 'fast-check'
import { toMilli } from '../../webhook/cli/hpa-controller/milli-value.ts'
import type {
  Behavior,
  HpaSpec,
  MetricSpec,
  MetricTarget,
  ScalingRules,
} from '../../webhook/cli/hpa-controller/spec.ts'

/** A quantity or an error, in lower case: the controller converts the names of external metrics to lower case. */
export type Answer = string | 'error'

export interface HpaCase {
  readonly spec: HpaSpec
  /** `spec.size` before the first sync. */
  readonly size: number
  /** `status.size`, the same in all syncs. */
  readonly statusSize: number
  /** Pods that its selector selects: Ready ones and others. */
  readonly pods: { readonly ready: number; readonly others: number }
  /** The answers of each metric, one for each sync that is compared. */
  readonly answers: readonly (readonly Answer[])[]
}

const MAX_METRICS = 3
const SYNCS = 4
const MOST = 100

const arbitraryTolerance = fc.constantFrom('0', '0.05', '50m', '0.1', '0.013', '0.29', '1', 2)

const arbitraryPolicy = fc.record({
  type: fc.constantFrom('Pods' as const, 'Percent' as const),
  value: fc.constantFrom(1, 2, 3, 4, 10, 33, 50, 100, 150, 1000, 2_147_483_647),
  periodSeconds: fc.constantFrom(1, 2, 12, 15, 30, 60, 1800),
})

const arbitraryRules: fc.Arbitrary<ScalingRules> = fc.record(
  {
    stabilizationWindowSeconds: fc.constantFrom(0, 0, 1, 12, 30, 60, 3600),
    selectPolicy: fc.constantFrom(
      'Max' as const,
      'Max' as const,
      'Min' as const,
      'Disabled' as const,
    ),
    policies: fc.array(arbitraryPolicy, { minLength: 1, maxLength: 3 }),
    tolerance: arbitraryTolerance,
  },
  { requiredKeys: [] },
)

const arbitraryBehavior: fc.Arbitrary<Behavior> = fc.record(
  { scaleUp: arbitraryRules, scaleDown: arbitraryRules },
  { requiredKeys: [] },
)

const arbitraryQuantity = fc.constantFrom('1', '1', '500m', '2', '0.7', '16', '1k', '1Ki', '3e1')

const DESCRIBED = { apiVersion: 'flux-framework.org/v1alpha2', kind: 'MiniCluster', name: '' }
const METRIC = { name: '' }

/** The users of a case set the names. */
const arbitraryMetric: fc.Arbitrary<MetricSpec> = fc
  .record({
    type: fc.constantFrom('Object' as const, 'Object' as const, 'External' as const),
    target: fc.oneof(
      {
        weight: 12,
        arbitrary: fc.record({
          type: fc.constant('AverageValue' as const),
          averageValue: arbitraryQuantity,
        }),
      },
      {
        weight: 9,
        arbitrary: fc.record({ type: fc.constant('Value' as const), value: arbitraryQuantity }),
      },
      // The type does not match the field.
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('Value' as const),
          averageValue: arbitraryQuantity,
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('Utilization' as const),
          value: arbitraryQuantity,
        }),
      },
    ),
  })
  .map(({ type, target }) =>
    type === 'Object'
      ? { type, object: { describedObject: DESCRIBED, metric: METRIC, target } }
      : { type, external: { metric: METRIC, target } },
  )

/** Bounds, and a size that is usually within them. */
const arbitrarySizes = fc
  .record({
    minReplicas: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
    more: fc.nat(MOST),
    where: fc.oneof(
      { weight: 20, arbitrary: fc.constant('within' as const) },
      { weight: 2, arbitrary: fc.constantFrom('above' as const, 'below' as const) },
      { weight: 1, arbitrary: fc.constant('zero' as const) },
    ),
    part: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ minReplicas, more, where, part }) => {
    const min = minReplicas ?? 1
    const maxReplicas = min + more
    const sizes = {
      within: min + Math.floor((more * part) / 100),
      above: maxReplicas + 1 + (part % 10),
      below: Math.max(1, min - 1 - (part % 10)),
      zero: 0,
    }
    return { ...(minReplicas !== undefined && { minReplicas }), maxReplicas, size: sizes[where] }
  })

/** The ratio of a metric to its target in millionths: often at the limit of a tolerance. */
const arbitraryRatio = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 0.013, 0.05, 0.1, 0.29, 1), fc.constantFrom(-1, 1))
      .map(([tolerance, sign]) => Math.round(1e6 * (1 + sign * tolerance))),
  },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 3_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000_000 }) },
)

/** Below zero, below thousandths, above 32 bits and above 64. */
const ODD = [
  '0',
  '-5',
  '-1100u',
  '1n',
  '2147483647',
  '3000000000',
  '9200000000000000',
  '9300000000000000',
] as const

/** An answer of a metric; `base` is its target, multiplied by the replicas if it is an average. */
function arbitraryAnswer(base: bigint): fc.Arbitrary<Answer> {
  const near = fc
    .tuple(arbitraryRatio, fc.constantFrom(-1n, 0n, 0n, 1n))
    .map(([ratio, more]) => (base * BigInt(ratio)) / 1_000_000n + more)
    .map((milli): Answer => `${milli < 0n ? 0n : milli}m`)
  return fc.oneof(
    { weight: 20, arbitrary: near },
    { weight: 3, arbitrary: fc.constant('error' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD) },
  )
}

/** The target of a metric. */
export function targetOf(metric: MetricSpec): MetricTarget {
  return metric.type === 'Object' ? metric.object.target : metric.external.target
}

/** Whether the controller lists pods. */
function isOfPods(metrics: readonly MetricSpec[]): boolean {
  return metrics.some((metric) => targetOf(metric).value !== undefined)
}

const arbitraryPods = fc.record({
  ready: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 1, max: 3 }) },
    { weight: 1, arbitrary: fc.constant(0) },
  ),
  others: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constant(1) },
  ),
})

const NO_PODS = { ready: 0, others: 0 }

/** Any case. */
export const arbitraryHpaCase: fc.Arbitrary<HpaCase> = fc
  .record({
    sizes: arbitrarySizes,
    statusSize: fc.oneof(
      { weight: 6, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constant(0) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: MOST }) },
    ),
    metrics: fc.oneof(
      { weight: 3, arbitrary: fc.tuple(arbitraryMetric) },
      { weight: 1, arbitrary: fc.array(arbitraryMetric, { minLength: 2, maxLength: MAX_METRICS }) },
    ),
    behavior: fc.option(arbitraryBehavior, { freq: 3, nil: undefined }),
    pods: arbitraryPods,
    /** Whether Value metrics ask for a size near the present one. */
    near: fc.boolean(),
    syncs: fc.constantFrom(1, SYNCS),
  })
  .chain(
    ({ sizes: { size, ...bounds }, statusSize = size, metrics, behavior, pods, near, syncs }) => {
      const spec: HpaSpec = { ...bounds, metrics, ...(behavior !== undefined && { behavior }) }
      const perPod = near ? Math.round(size / (pods.ready || 1)) : 1
      const answers = metrics.map((metric) => {
        const { value, averageValue = value ?? '1' } = targetOf(metric)
        const of = value === undefined ? statusSize || size : perPod
        const base = BigInt(toMilli(averageValue)) * BigInt(of || 1)
        return fc.array(arbitraryAnswer(base), { minLength: syncs, maxLength: syncs })
      })
      return fc.tuple(...answers).map((drawn) => ({
        spec,
        size,
        statusSize,
        pods: isOfPods(metrics) ? pods : NO_PODS,
        answers: drawn,
      }))
    },
  )

/** The same cases for the same seed. */
export function drawHpaCases(count: number, seed: number): readonly HpaCase[] {
  return fc.sample(arbitraryHpaCase, { numRuns: count, seed })
}

/** The same case with the default tolerance: what it is for a server that cannot set one. */
export function withoutTolerance(hpaCase: HpaCase): HpaCase {
  const { behavior } = hpaCase.spec
  if (behavior === undefined) return hpaCase
  const { scaleUp, scaleDown } = behavior
  const rules: Behavior = {
    ...(scaleUp && { scaleUp: tolerant(scaleUp) }),
    ...(scaleDown && { scaleDown: tolerant(scaleDown) }),
  }
  return { ...hpaCase, spec: { ...hpaCase.spec, behavior: rules } }
}

function tolerant({ tolerance: _, ...others }: ScalingRules): ScalingRules {
  return others
}
