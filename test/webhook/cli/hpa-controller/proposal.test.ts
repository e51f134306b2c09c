import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  recommend,
  type SizesAndMetrics,
  type Target,
  targetOf,
  tolerancesOf,
} from '../../../../webhook/cli/hpa-controller/proposal.ts'
import type { MetricSpec, MetricTarget } from '../../../../webhook/cli/hpa-controller/spec.ts'

const DEFAULTS = { scaleUp: 0.1, scaleDown: 0.1 }
const NONE = { scaleUp: 0, scaleDown: 0 }
const HIGHEST = 2 ** 31 - 1

function object(target: MetricTarget): MetricSpec {
  const describedObject = { kind: 'MiniCluster', name: 'flux-sample' }
  return { type: 'Object', object: { describedObject, metric: { name: 'm' }, target } }
}

function external(target: MetricTarget): MetricSpec {
  return { type: 'External', external: { metric: { name: 'm' }, target } }
}

for (const [name, metric, target] of [
  [
    'an Object metric by value',
    object({ type: 'Value', value: '500m' }),
    { source: 'Object', kind: 'Value', milli: 500 },
  ],
  [
    'an Object metric by average',
    object({ type: 'AverageValue', averageValue: 2 }),
    { source: 'Object', kind: 'AverageValue', milli: 2000 },
  ],
  [
    'an Object metric by its type if it has both fields',
    object({ type: 'Value', value: '1', averageValue: '2' }),
    { source: 'Object', kind: 'Value', milli: 1000 },
  ],
  [
    'nothing for an Object metric whose type does not match its field',
    object({ type: 'Value', averageValue: '2' }),
    { source: 'Object', kind: undefined, milli: 0 },
  ],
  [
    'nothing for an Object metric by utilization',
    object({ type: 'Utilization', value: '2' }),
    { source: 'Object', kind: undefined, milli: 0 },
  ],
  [
    'an External metric by the field that is set',
    external({ type: 'Value', averageValue: '2' }),
    { source: 'External', kind: 'AverageValue', milli: 2000 },
  ],
  [
    'an External metric by value, even if its type is AverageValue',
    external({ type: 'AverageValue', value: '2' }),
    { source: 'External', kind: 'Value', milli: 2000 },
  ],
] as const) {
  test(`targetOf compares with ${name}`, () => {
    assert.deepEqual(targetOf(metric), target)
  })
}

test('targetOf refuses a malformed quantity', () => {
  assert.throws(() => targetOf(object({ type: 'Value', value: 'two' })), RangeError)
})

test('tolerancesOf prefers the tolerance of a direction to the one of the controller', () => {
  assert.deepEqual(tolerancesOf(undefined, 0.2), { scaleUp: 0.2, scaleDown: 0.2 })
  const behavior = { scaleUp: { tolerance: '0' }, scaleDown: {} }
  assert.deepEqual(tolerancesOf(behavior, 0.1), { scaleUp: 0, scaleDown: 0.1 })
  assert.deepEqual(tolerancesOf({ scaleDown: { tolerance: '50m' } }, 0.1), {
    scaleUp: 0.1,
    scaleDown: 0.05,
  })
})

const VALUE = { source: 'Object', kind: 'Value', milli: 4000 } as const
const AVERAGE = { source: 'Object', kind: 'AverageValue', milli: 1000 } as const
const EXTERNAL = { ...AVERAGE, source: 'External' } as const

function proposalFor(
  target: Target,
  metric: number | undefined,
  {
    tolerances = DEFAULTS,
    ...situation
  }: Partial<SizesAndMetrics> & { tolerances?: typeof NONE } = {},
): number | undefined {
  const { proposals } = recommend(
    [target],
    { replicas: 10, statusReplicas: 10, readyPods: 10, ...situation, metrics: [metric] },
    tolerances,
  )
  return proposals[0]
}

/** For 10 replicas, with a target of 1 for each. */
for (const [metric, usual, exact] of [
  [0, 0, 0],
  [8.999, 9, 9],
  [9, 10, 9],
  [10, 10, 10],
  [11, 10, 11],
  [11.001, 12, 12],
  [12.0001, 13, 13],
  [61, 61, 61],
  [HIGHEST, HIGHEST, HIGHEST],
] as const) {
  test(`an average metric of ${metric} asks 10 replicas for ${usual}, with tolerance 0 for ${exact}`, () => {
    assert.equal(proposalFor(AVERAGE, metric), usual)
    assert.equal(proposalFor(EXTERNAL, metric), usual)
    assert.equal(proposalFor(AVERAGE, metric, { tolerances: NONE }), exact)
  })
}

test('an average metric does not depend on ready pods, nor on spec.replicas', () => {
  assert.equal(proposalFor(AVERAGE, 3, { readyPods: undefined, replicas: 7 }), 3)
})

test('an average metric within tolerance asks for status.replicas, though spec.replicas are more', () => {
  assert.equal(proposalFor(AVERAGE, 11, { replicas: 12 }), 10)
})

test('an average metric with 0 replicas asks for the metric divided by its target', () => {
  assert.equal(proposalFor(AVERAGE, 3, { statusReplicas: 0 }), 3)
  assert.equal(proposalFor(AVERAGE, 0, { statusReplicas: 0 }), 0)
})

test('an average metric beyond 32 bits asks for the lowest number as Object, for the highest as External', () => {
  assert.equal(proposalFor(AVERAGE, HIGHEST + 1), -HIGHEST - 1)
  assert.equal(proposalFor(EXTERNAL, HIGHEST + 1), HIGHEST)
})

test('an average metric below zero asks for a negative number as Object, for the highest as External', () => {
  assert.equal(proposalFor(AVERAGE, -5), -5)
  assert.equal(proposalFor(EXTERNAL, -0.0001), HIGHEST)
})

/** With a target of 4 and 10 replicas, of which `readyPods` are ready. */
for (const [metric, readyPods, replicas] of [
  [4, 10, 10],
  [4.4, 3, 10],
  [3.6, 0, 10],
  [4.401, 10, 12],
  [3.599, 10, 9],
  [8, 3, 6],
  [8, 0, 0],
  [8, undefined, undefined],
  [4, undefined, 10],
  [9.2e15, 1, HIGHEST],
  [-8, 3, -6],
] as const) {
  test(`a value of ${metric} for 4 asks ${readyPods} ready pods of 10 for ${replicas}`, () => {
    assert.equal(proposalFor(VALUE, metric, { readyPods }), replicas)
    assert.equal(proposalFor({ ...VALUE, source: 'External' }, metric, { readyPods }), replicas)
  })
}

test('a metric fails if it has no value, no target, or a value that is not finite', () => {
  assert.equal(proposalFor(AVERAGE, undefined), undefined)
  assert.equal(proposalFor({ ...AVERAGE, kind: undefined }, 3), undefined)
  assert.equal(proposalFor(AVERAGE, Number.NaN), undefined)
  assert.equal(proposalFor(AVERAGE, Number.POSITIVE_INFINITY), undefined)
})

function together(...metrics: readonly (number | undefined)[]) {
  const targets = metrics.map((_, index) => (index === 0 ? EXTERNAL : AVERAGE))
  const situation = { replicas: 10, statusReplicas: 10, readyPods: 10, metrics }
  return recommend(targets, situation, NONE)
}

test('recommend takes the highest of several proposals', () => {
  assert.deepEqual(together(3, 8, 5), { kind: 'replicas', proposals: [3, 8, 5], replicas: 8 })
})

test('recommend never recommends a negative number', () => {
  const situation = { replicas: 10, statusReplicas: 10, readyPods: 10, metrics: [-5] }
  assert.deepEqual(recommend([AVERAGE], situation, NONE), {
    kind: 'replicas',
    proposals: [-5],
    replicas: 0,
  })
})

test('recommend recommends nothing if all metrics fail, and has the reason of the first', () => {
  assert.deepEqual(together(undefined, undefined), {
    kind: 'failure',
    proposals: [undefined, undefined],
    reason: 'FailedGetExternalMetric',
  })
})

test('recommend recommends no lower size while a metric fails', () => {
  assert.deepEqual(together(9, undefined), {
    kind: 'failure',
    proposals: [9, undefined],
    reason: 'FailedGetObjectMetric',
  })
})

test('recommend may keep or raise the size while a metric fails', () => {
  assert.deepEqual(together(10, undefined), {
    kind: 'replicas',
    proposals: [10, undefined],
    replicas: 10,
  })
  assert.deepEqual(together(undefined, 11), {
    kind: 'replicas',
    proposals: [undefined, 11],
    replicas: 11,
  })
})
