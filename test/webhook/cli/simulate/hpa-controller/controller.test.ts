// One HPA over many syncs. The examples are computed by hand; the real controller is in hpa/conformance.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Decision,
  Hpa,
  type HpaOptions,
} from '../../../../../webhook/cli/simulate/hpa-controller/controller.ts'
import type {
  Behavior,
  HpaSpec,
  MetricSpec,
  MetricTarget,
} from '../../../../../webhook/cli/simulate/hpa-controller/spec.ts'
import { arbitraryHpaCase } from '../../../../support/hpa-cases.ts'
import { simulate } from '../../../../support/hpa-model.ts'

/** `--horizontal-pod-autoscaler-sync-period` by default. */
const SYNC_MS = 15_000

function object(target: MetricTarget): MetricSpec {
  const describedObject = { kind: 'MiniCluster', name: 'flux-sample' }
  return { type: 'Object', object: { describedObject, metric: { name: 'm' }, target } }
}

const EACH = object({ type: 'AverageValue', averageValue: '1' })
const AT_ONCE: Behavior = {
  scaleUp: { policies: [{ type: 'Pods', value: 64, periodSeconds: 15 }], tolerance: 0 },
  scaleDown: { stabilizationWindowSeconds: 0, tolerance: 0 },
}

function hpaOf(changes: Partial<HpaSpec> = {}, options?: HpaOptions): Hpa {
  return new Hpa({ maxReplicas: 64, metrics: [EACH], ...changes }, options)
}

type Metrics = number | undefined | readonly (number | undefined)[]

/** A MiniCluster that is what the HPA makes it by the next sync: what each sync decides, for the metrics that it finds. */
function follow(hpa: Hpa, size: number, metrics: readonly Metrics[]): readonly Decision[] {
  let replicas = size
  return metrics.map((found, index) => {
    const decision = hpa.decide({
      now: index * SYNC_MS,
      replicas,
      statusReplicas: replicas,
      readyPods: replicas,
      metrics: Array.isArray(found) ? found : [found],
    })
    replicas = decision.replicas
    return decision
  })
}

function sizes(hpa: Hpa, size: number, metrics: readonly Metrics[]): readonly number[] {
  return follow(hpa, size, metrics).map(({ replicas }) => replicas)
}

function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value)
}

for (const [name, size, metric, replicas] of [
  ['4 busy nodes and a pending job of 8 more', 4, 12, 12],
  ['4 idle nodes and work for 3', 4, 3, 3],
  ['12 nodes, of which rank 9 alone is busy', 12, 10, 10],
  ['10 busy nodes and one more job', 10, 11, 11],
  ['6 busy nodes, of which an administrator drained one', 6, 7, 7],
  ['a job for all of 61 nodes, of which 60 are there', 60, 61, 61],
  ['more work than maxReplicas', 4, 100, 64],
  ['no work at all', 4, 0, 1],
] as const) {
  test(`without tolerance Hpa makes ${name}: ${replicas}`, () => {
    assert.deepEqual(sizes(hpaOf({ behavior: AT_ONCE }), size, [metric]), [replicas])
  })
}

/** With the tolerance of 0.1 a metric of AverageValue 1 is ignored up to here. */
for (const [size, ignored] of [
  [9, 9],
  [10, 11],
  [19, 20],
  [20, 22],
  [59, 64],
  [60, 66],
] as const) {
  test(`with the usual tolerance ${size} nodes stay though ${ignored} are wanted, not for one more`, () => {
    const behavior = { scaleUp: { policies: AT_ONCE.scaleUp?.policies ?? [] } }
    const hpa = () => hpaOf({ maxReplicas: 100, behavior })
    assert.deepEqual(sizes(hpa(), size, [ignored]), [size])
    assert.deepEqual(sizes(hpa(), size, [ignored + 1]), [ignored + 1])
  })
}

test('a direction has a tolerance of its own', () => {
  const behavior = {
    scaleUp: { tolerance: '0' },
    scaleDown: { tolerance: '0.2', stabilizationWindowSeconds: 0 },
  }
  assert.deepEqual(sizes(hpaOf({ behavior }), 10, [11]), [11])
  assert.deepEqual(sizes(hpaOf({ behavior }), 10, [8]), [10])
  assert.deepEqual(sizes(hpaOf({ behavior }), 10, [7]), [7])
})

test("a direction without tolerance has the controller's", () => {
  const behavior = { scaleUp: {}, scaleDown: { stabilizationWindowSeconds: 0 } }
  const options = { tolerance: 0.3 }
  assert.deepEqual(sizes(hpaOf({ behavior }, options), 10, [13]), [10])
  assert.deepEqual(sizes(hpaOf({ behavior }, options), 10, [6]), [6])
})

/** ceil(n² / 4): the prototype's example has no size that it keeps by itself, but for 4. */
for (const [size, replicas] of [
  [1, 1],
  [2, 1],
  [3, 3],
  [4, 4],
  [5, 7],
  [7, 13],
] as const) {
  test(`node_up_count by value 4 makes ${size} nodes ${replicas}`, () => {
    const metrics = [object({ type: 'Value', value: '4' })]
    assert.deepEqual(sizes(hpaOf({ metrics, behavior: AT_ONCE }), size, [size]), [replicas])
  })
}

test('a value is in proportion to ready pods, and fails where none are listed', () => {
  const hpa = hpaOf({ metrics: [object({ type: 'Value', value: '4' })] })
  const found = { replicas: 10, statusReplicas: 10, metrics: [8] }
  assert.equal(hpa.decide({ ...found, now: 0, readyPods: 6 }).proposals[0], 12)
  const decision = hpa.decide({ ...found, now: 1, readyPods: undefined })
  assert.deepEqual(decision.proposals, [undefined])
  assert.equal(decision.replicas, 10)
})

test('without behavior Hpa grows to 4, and to the double from sync to sync', () => {
  assert.deepEqual(sizes(hpaOf(), 1, times(6, 64)), [4, 8, 16, 32, 64, 64])
})

test('with an empty behavior Hpa grows by 4 or to the double, every 15 s', () => {
  const decisions = follow(hpaOf({ behavior: {} }), 2, times(5, 40))
  assert.deepEqual(
    decisions.map(({ replicas }) => replicas),
    [6, 12, 24, 40, 40],
  )
  assert.equal(decisions[0]?.reason, 'grow to 6, on the way to 40')
  assert.equal(decisions[4]?.reason, 'hold: on target')
})

test('Hpa shrinks to the highest recommendation of 300 s, the first size included', () => {
  const metrics = [...times(5, 8), ...times(30, 3)]
  const found = sizes(hpaOf(), 12, metrics)
  assert.deepEqual(found.slice(0, 20), times(20, 12))
  assert.deepEqual(found.slice(20, 24), times(4, 8))
  assert.deepEqual(found.slice(24), times(11, 3))
})

test('Hpa shrinks by a window of its own', () => {
  const behavior = { scaleDown: { stabilizationWindowSeconds: 30 } }
  const decisions = follow(hpaOf({ behavior }), 8, times(3, 3))
  assert.deepEqual(
    decisions.map(({ replicas, reason }) => [replicas, reason]),
    [
      [8, 'hold: stabilizing, then 3'],
      [8, 'hold: stabilizing, then 3'],
      [3, 'shrink to 3'],
    ],
  )
})

test('a peak within the window of scaleUp is ignored, a plateau is not', () => {
  const behavior = { scaleUp: { stabilizationWindowSeconds: 30 } }
  assert.deepEqual(sizes(hpaOf({ behavior }), 4, [4, 9, 4, 4]), times(4, 4))
  assert.deepEqual(sizes(hpaOf({ behavior }), 4, [4, 6, 7, 7, 7]), [4, 4, 6, 7, 7])
})

const POLICIES = [
  { type: 'Pods', value: 2, periodSeconds: 60 },
  { type: 'Percent', value: 50, periodSeconds: 60 },
] as const

for (const [selectPolicy, up, down] of [
  ['Max', [15, 15, 15, 15, 23], [5, 5, 5, 5, 2]],
  ['Min', [12, 12, 12, 12, 14], [8, 8, 8, 8, 6]],
  ['Disabled', times(5, 10), times(5, 10)],
] as const) {
  const rules = { stabilizationWindowSeconds: 0, selectPolicy, policies: POLICIES }
  const behavior = { scaleUp: rules, scaleDown: rules }

  test(`policies of 2 pods and of 50 % a minute by ${selectPolicy} let 10 grow to ${up}`, () => {
    assert.deepEqual(sizes(hpaOf({ behavior }), 10, times(5, 64)), up)
  })

  test(`policies of 2 pods and of 50 % a minute by ${selectPolicy} let 10 shrink to ${down}`, () => {
    assert.deepEqual(sizes(hpaOf({ behavior }), 10, times(5, 1)), down)
  })
}

test('a policy counts what an HPA did, not what others did', () => {
  const hpa = hpaOf({ behavior: { scaleUp: { policies: [POLICIES[0]] } } })
  const found = { statusReplicas: 4, readyPods: 4, metrics: [30] }
  assert.equal(hpa.decide({ ...found, now: 0, replicas: 4 }).replicas, 6)
  assert.equal(hpa.decide({ ...found, now: SYNC_MS, replicas: 6 }).replicas, 6)
  assert.equal(hpa.decide({ ...found, now: 2 * SYNC_MS, replicas: 16 }).replicas, 16)
  assert.equal(hpa.decide({ ...found, now: 5 * SYNC_MS, replicas: 16 }).replicas, 18)
})

const TWO = [EACH, object({ type: 'AverageValue', averageValue: '600' })]

/** Work in node·s beside the demand, to be done in 600 s. */
for (const [demand, work, replicas] of [
  [4, 2_400, 4],
  [1, 60_000, 64],
  [40, 2_400, 40],
  [12, undefined, 12],
  [undefined, 60_000, 64],
] as const) {
  test(`of a demand of ${demand} and a work of ${work} the higher counts, ${replicas}`, () => {
    const hpa = hpaOf({ metrics: TWO, behavior: AT_ONCE })
    assert.deepEqual(sizes(hpa, 10, [[demand, work]]), [replicas])
  })
}

test('with one metric failed Hpa does not shrink', () => {
  const decisions = follow(hpaOf({ metrics: TWO, behavior: AT_ONCE }), 10, [
    [3, undefined],
    [3, 1_200],
  ])
  assert.deepEqual(
    decisions.map(({ replicas, reason }) => [replicas, reason]),
    [
      [10, 'hold: 1 of 2 metrics failed, the others ask for less'],
      [3, 'shrink to 3'],
    ],
  )
})

const SUCCEEDED = { status: true, reason: 'SucceededGetScale' }
const VALID = { status: true, reason: 'ValidMetricFound' }
const WITHIN = { status: false, reason: 'DesiredWithinRange' }

test('without a metric Hpa holds its size, and says what was last true of the rest', () => {
  const [grown, held] = follow(hpaOf({ behavior: AT_ONCE }), 4, [7, undefined])
  assert.deepEqual(grown, {
    replicas: 7,
    desiredReplicas: 7,
    proposals: [7],
    conditions: {
      AbleToScale: { status: true, reason: 'SucceededRescale' },
      ScalingActive: VALID,
      ScalingLimited: WITHIN,
    },
    reason: 'grow to 7',
  })
  assert.deepEqual(held, {
    replicas: 7,
    desiredReplicas: 7,
    proposals: [undefined],
    conditions: {
      AbleToScale: SUCCEEDED,
      ScalingActive: { status: false, reason: 'FailedGetObjectMetric' },
      ScalingLimited: WITHIN,
    },
    reason: 'hold: no metric',
  })
})

test('what failed is no recommendation: Hpa shrinks as if it had not been asked', () => {
  const behavior = { scaleDown: { stabilizationWindowSeconds: 60 } }
  assert.deepEqual(sizes(hpaOf({ behavior }), 8, [8, undefined, 3, undefined, 3]), [8, 8, 8, 8, 3])
})

test('Hpa returns into its bounds without asking for metrics', () => {
  const bounds = { minReplicas: 4, maxReplicas: 10 }
  const [below] = follow(hpaOf(bounds), 2, [7])
  const [above] = follow(hpaOf(bounds), 20, [undefined])
  assert.deepEqual(
    [below, above].map((decision) => [decision?.replicas, decision?.proposals, decision?.reason]),
    [
      [4, [], 'grow to 4: 2 is below minReplicas'],
      [10, [], 'shrink to 10: 20 is above maxReplicas'],
    ],
  )
})

test('Hpa goes no further than its bounds, and says so', () => {
  const bounds = { minReplicas: 4, maxReplicas: 10, behavior: AT_ONCE }
  const decisions = [2, 30].flatMap((metric) => follow(hpaOf(bounds), 8, [metric]))
  assert.deepEqual(
    decisions.map(({ replicas, conditions, reason }) => [
      replicas,
      conditions.ScalingLimited?.reason,
      reason,
    ]),
    [
      [4, 'TooFewReplicas', 'shrink to 4: 2 is below minReplicas'],
      [10, 'TooManyReplicas', 'grow to 10: 30 is above maxReplicas'],
    ],
  )
})

test('at size 0 scaling is disabled, until somebody else makes it larger', () => {
  const hpa = hpaOf({ behavior: AT_ONCE })
  assert.deepEqual(follow(hpa, 0, [5]), [
    {
      replicas: 0,
      desiredReplicas: 0,
      proposals: [],
      conditions: {
        AbleToScale: SUCCEEDED,
        ScalingActive: { status: false, reason: 'ScalingDisabled' },
      },
      reason: 'hold: scaling is disabled at size 0',
    },
  ])
  const found = { replicas: 1, statusReplicas: 0, readyPods: 0, metrics: [5] }
  assert.equal(hpa.decide({ ...found, now: SYNC_MS }).replicas, 5)
})

test('with scaleToZero each rescale says whether it was one to 0, which is true until the next one', () => {
  const told = (options?: HpaOptions) =>
    follow(hpaOf({ minReplicas: 0, behavior: AT_ONCE }, options), 4, [4, 7, 7, undefined, 0]).map(
      ({ conditions }) => conditions.ScaledToZero,
    )
  const not = { status: false, reason: 'NotScaledToZero' }
  const zero = { status: true, reason: 'ScaledToZero' }
  assert.deepEqual(told({ scaleToZero: true }), [undefined, not, not, not, zero])
  assert.deepEqual(told(), times(5, undefined))
})

test('with scaleToZero a return into the bounds is a rescale', () => {
  const [below] = follow(hpaOf({ minReplicas: 4 }, { scaleToZero: true }), 2, [7])
  assert.equal(below?.conditions.ScaledToZero?.reason, 'NotScaledToZero')
})

test('Hpa refuses a spec whose quantities are none', () => {
  const metrics = [object({ type: 'Value', value: 'many' })]
  assert.throws(() => hpaOf({ metrics }), /^RangeError: Cannot read quantity "many"$/)
  const behavior = { scaleUp: { tolerance: '10%' } }
  assert.throws(() => hpaOf({ behavior }), /^RangeError: Cannot read quantity "10%"$/)
})

test('whatever metrics say, a size within bounds stays there', () => {
  fc.assert(
    fc.property(arbitraryHpaCase, (hpaCase) => {
      const { minReplicas = 1, maxReplicas } = hpaCase.spec
      fc.pre(hpaCase.size >= minReplicas && hpaCase.size <= maxReplicas)
      const syncs = simulate(
        hpaCase,
        times(4, 0).map((_, index) => index * SYNC_MS),
        {},
      )
      for (const { size } of syncs) assert.ok(minReplicas <= size && size <= maxReplicas)
    }),
  )
})

test('without tolerance a constant metric is reached from anywhere, and kept', () => {
  const settled = 300_000 / SYNC_MS + 1
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 64 }),
      fc.integer({ min: 0, max: 100 }),
      (size, metric) => {
        const behavior = { ...AT_ONCE, scaleDown: { tolerance: 0 } }
        const hpa = hpaOf({ minReplicas: 2, behavior })
        const found = sizes(hpa, size, times(settled + 10, metric)).slice(settled)
        assert.deepEqual(found, times(10, Math.min(Math.max(metric, 2), 64)))
      },
    ),
  )
})
