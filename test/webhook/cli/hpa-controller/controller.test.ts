// One HPA over many syncs. The expected sizes are computed by hand; conformance.test.ts compares with the real controller.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Decision,
  HpaController,
  type HpaControllerOptions,
} from '../../../../webhook/cli/hpa-controller/controller.ts'
import type {
  Behavior,
  HpaSpec,
  MetricSpec,
  MetricTarget,
} from '../../../../webhook/cli/hpa-controller/spec.ts'
import { arbitraryHpaCase } from '../../../support/hpa-cases.ts'
import { simulate } from '../../../support/hpa-model.ts'

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

function hpaOf(changes: Partial<HpaSpec> = {}, options?: HpaControllerOptions): HpaController {
  return new HpaController({ maxReplicas: 64, metrics: [EACH], ...changes }, options)
}

type Metrics = number | undefined | readonly (number | undefined)[]

/** The decision of each sync for the metrics that it finds. The MiniCluster always has its new size by the next sync. */
function follow(
  hpa: HpaController,
  size: number,
  metrics: readonly Metrics[],
): readonly Decision[] {
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

function sizes(hpa: HpaController, size: number, metrics: readonly Metrics[]): readonly number[] {
  return follow(hpa, size, metrics).map(({ replicas }) => replicas)
}

function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value)
}

for (const [name, size, metric, replicas] of [
  ['4 busy nodes and a pending job for 8 more', 4, 12, 12],
  ['4 idle nodes and work for 3', 4, 3, 3],
  ['12 nodes, of which rank 9 alone is busy', 12, 10, 10],
  ['10 busy nodes and one more job', 10, 11, 11],
  ['6 busy nodes, of which an administrator drained one', 6, 7, 7],
  ['a job for all of 61 nodes, of which 60 are there', 60, 61, 61],
  ['more work than maxReplicas', 4, 100, 64],
  ['no work at all', 4, 0, 1],
] as const) {
  test(`without tolerance the size is ${replicas} for ${name}`, () => {
    assert.deepEqual(sizes(hpaOf({ behavior: AT_ONCE }), size, [metric]), [replicas])
  })
}

/** With a tolerance of 0.1 and AverageValue 1, a metric up to `ignored` changes nothing. */
for (const [size, ignored] of [
  [9, 9],
  [10, 11],
  [19, 20],
  [20, 22],
  [59, 64],
  [60, 66],
] as const) {
  test(`with the usual tolerance ${size} nodes stay for a metric of ${ignored}, and grow for one more`, () => {
    const behavior = { scaleUp: { policies: AT_ONCE.scaleUp?.policies ?? [] } }
    const hpa = () => hpaOf({ maxReplicas: 100, behavior })
    assert.deepEqual(sizes(hpa(), size, [ignored]), [size])
    assert.deepEqual(sizes(hpa(), size, [ignored + 1]), [ignored + 1])
  })
}

test('each direction has its own tolerance', () => {
  const behavior = {
    scaleUp: { tolerance: '0' },
    scaleDown: { tolerance: '0.2', stabilizationWindowSeconds: 0 },
  }
  assert.deepEqual(sizes(hpaOf({ behavior }), 10, [11]), [11])
  assert.deepEqual(sizes(hpaOf({ behavior }), 10, [8]), [10])
  assert.deepEqual(sizes(hpaOf({ behavior }), 10, [7]), [7])
})

test('a direction without tolerance has the tolerance of the controller', () => {
  const behavior = { scaleUp: {}, scaleDown: { stabilizationWindowSeconds: 0 } }
  const options = { tolerance: 0.3 }
  assert.deepEqual(sizes(hpaOf({ behavior }, options), 10, [13]), [10])
  assert.deepEqual(sizes(hpaOf({ behavior }, options), 10, [6]), [6])
})

/** ceil(n² / 4): the example of the prototype keeps no size but 4. */
for (const [size, replicas] of [
  [1, 1],
  [2, 1],
  [3, 3],
  [4, 4],
  [5, 7],
  [7, 13],
] as const) {
  test(`node_up_count with Value 4 resizes ${size} nodes to ${replicas}`, () => {
    const metrics = [object({ type: 'Value', value: '4' })]
    assert.deepEqual(sizes(hpaOf({ metrics, behavior: AT_ONCE }), size, [size]), [replicas])
  })
}

test('a Value metric is in proportion to the ready pods, and fails if the selector selects no pod', () => {
  const hpa = hpaOf({ metrics: [object({ type: 'Value', value: '4' })] })
  const found = { replicas: 10, statusReplicas: 10, metrics: [8] }
  assert.equal(hpa.decide({ ...found, now: 0, readyPods: 6 }).proposals[0], 12)
  const decision = hpa.decide({ ...found, now: 1, readyPods: undefined })
  assert.deepEqual(decision.proposals, [undefined])
  assert.equal(decision.replicas, 10)
})

test('without behavior an HPA grows to 4, and doubles from sync to sync', () => {
  assert.deepEqual(sizes(hpaOf(), 1, times(6, 64)), [4, 8, 16, 32, 64, 64])
})

test('with an empty behavior an HPA grows by 4 or doubles, every 15 s', () => {
  const decisions = follow(hpaOf({ behavior: {} }), 2, times(5, 40))
  assert.deepEqual(
    decisions.map(({ replicas }) => replicas),
    [6, 12, 24, 40, 40],
  )
  assert.equal(decisions[0]?.reason, 'grow to 6, on the way to 40')
  assert.equal(decisions[4]?.reason, 'hold: on target')
})

test('an HPA shrinks to the highest recommendation of 300 s, the first size included', () => {
  const metrics = [...times(5, 8), ...times(30, 3)]
  const found = sizes(hpaOf(), 12, metrics)
  assert.deepEqual(found.slice(0, 20), times(20, 12))
  assert.deepEqual(found.slice(20, 24), times(4, 8))
  assert.deepEqual(found.slice(24), times(11, 3))
})

test('scaleDown can have its own window', () => {
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

test('a metric that rises for less than the window of scaleUp is ignored, one that stays high is not', () => {
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

  test(`with policies of 2 pods and 50 % a minute and ${selectPolicy}, 10 nodes grow to ${up}`, () => {
    assert.deepEqual(sizes(hpaOf({ behavior }), 10, times(5, 64)), up)
  })

  test(`with policies of 2 pods and 50 % a minute and ${selectPolicy}, 10 nodes shrink to ${down}`, () => {
    assert.deepEqual(sizes(hpaOf({ behavior }), 10, times(5, 1)), down)
  })
}

test('a policy counts the changes of its HPA, not those of others', () => {
  const hpa = hpaOf({ behavior: { scaleUp: { policies: [POLICIES[0]] } } })
  const found = { statusReplicas: 4, readyPods: 4, metrics: [30] }
  assert.equal(hpa.decide({ ...found, now: 0, replicas: 4 }).replicas, 6)
  assert.equal(hpa.decide({ ...found, now: SYNC_MS, replicas: 6 }).replicas, 6)
  assert.equal(hpa.decide({ ...found, now: 2 * SYNC_MS, replicas: 16 }).replicas, 16)
  assert.equal(hpa.decide({ ...found, now: 5 * SYNC_MS, replicas: 16 }).replicas, 18)
})

const TWO = [EACH, object({ type: 'AverageValue', averageValue: '600' })]

/** A second metric: the work in node-seconds, to be done in 600 s. */
for (const [demand, work, replicas] of [
  [4, 2_400, 4],
  [1, 60_000, 64],
  [40, 2_400, 40],
  [12, undefined, 12],
  [undefined, 60_000, 64],
] as const) {
  test(`of a demand of ${demand} and a work of ${work} the higher proposal counts: ${replicas}`, () => {
    const hpa = hpaOf({ metrics: TWO, behavior: AT_ONCE })
    assert.deepEqual(sizes(hpa, 10, [[demand, work]]), [replicas])
  })
}

test('an HPA does not shrink while one of its metrics fails', () => {
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

test('without a metric an HPA holds its size, and keeps the conditions that it does not set', () => {
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

test('a sync whose metric failed makes no recommendation, and does not delay a shrink', () => {
  const behavior = { scaleDown: { stabilizationWindowSeconds: 60 } }
  assert.deepEqual(sizes(hpaOf({ behavior }), 8, [8, undefined, 3, undefined, 3]), [8, 8, 8, 8, 3])
})

test('an HPA corrects a size outside its bounds without requesting metrics', () => {
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

test('an HPA stays within its bounds, and says so', () => {
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

test('at size 0 scaling is disabled until the size is raised from outside', () => {
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

test('with scaleToZero the condition ScaledToZero says whether the last rescale was to 0', () => {
  const scaledToZero = (options?: HpaControllerOptions) =>
    follow(hpaOf({ minReplicas: 0, behavior: AT_ONCE }, options), 4, [4, 7, 7, undefined, 0]).map(
      ({ conditions }) => conditions.ScaledToZero,
    )
  const not = { status: false, reason: 'NotScaledToZero' }
  const zero = { status: true, reason: 'ScaledToZero' }
  assert.deepEqual(scaledToZero({ scaleToZero: true }), [undefined, not, not, not, zero])
  assert.deepEqual(scaledToZero(), times(5, undefined))
})

test('with scaleToZero a correction into the bounds is a rescale', () => {
  const [below] = follow(hpaOf({ minReplicas: 4 }, { scaleToZero: true }), 2, [7])
  assert.equal(below?.conditions.ScaledToZero?.reason, 'NotScaledToZero')
})

test('HpaController refuses a spec with malformed quantities', () => {
  const metrics = [object({ type: 'Value', value: 'many' })]
  assert.throws(() => hpaOf({ metrics }), /^RangeError: Cannot read quantity "many"$/)
  const behavior = { scaleUp: { tolerance: '10%' } }
  assert.throws(() => hpaOf({ behavior }), /^RangeError: Cannot read quantity "10%"$/)
})

test('a size within its bounds stays within them for any metrics', () => {
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

test('without tolerance the size reaches a constant metric from any size, and stays', () => {
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
