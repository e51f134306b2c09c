import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addEvent,
  type CompleteRules,
  limitOf,
  rulesFor,
  within,
} from '../../../../webhook/cli/hpa-controller/behavior.ts'
import type { ScalingPolicy } from '../../../../webhook/cli/hpa-controller/spec.ts'

const OPTIONS = { stabilizationSeconds: 300 }
const NO_EVENTS = { scaleUp: [], scaleDown: [] }

test('rulesFor fills in the defaults of the API server', () => {
  assert.deepEqual(rulesFor('scaleUp', undefined, { stabilizationSeconds: 0 }), {
    stabilizationMs: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  })
  assert.deepEqual(rulesFor('scaleDown', {}, OPTIONS), {
    stabilizationMs: 300_000,
    selectPolicy: 'Max',
    policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  })
})

test('rulesFor keeps the fields that are set', () => {
  const policies = [{ type: 'Pods', value: 1, periodSeconds: 60 }] as const
  const rules = { stabilizationWindowSeconds: 0, selectPolicy: 'Min', policies } as const
  assert.deepEqual(rulesFor('scaleDown', rules, OPTIONS), {
    stabilizationMs: 0,
    selectPolicy: 'Min',
    policies,
  })
})

test('within keeps the entries that are younger than the window', () => {
  const [old, edge, young] = [1, 2, 3].map((at) => ({ at, replicas: at }))
  assert.ok(old && edge && young)
  assert.deepEqual(within([old, edge, young], { now: 12, windowMs: 10 }), [young])
  assert.deepEqual(within([young], { now: 3, windowMs: 0 }), [])
})

const POLICY = { type: 'Pods', value: 4, periodSeconds: 10 } as const

function rules(
  selectPolicy: CompleteRules['selectPolicy'],
  ...policies: ScalingPolicy[]
): CompleteRules {
  return { stabilizationMs: 0, selectPolicy, policies }
}

test('addEvent replaces the last event that no policy needs, and keeps the others', () => {
  const [a, b, c, d] = [0, 1, 15_000, 20_000].map((at) => ({ at, replicas: 1 }))
  assert.ok(a && b && c && d)
  assert.deepEqual(addEvent([], a, rules('Max', POLICY)), [a])
  assert.deepEqual(addEvent([a, b, c], d, rules('Max', POLICY)), [a, d, c])
  assert.deepEqual(addEvent([a, b], c, rules('Max', { ...POLICY, periodSeconds: 15 })), [a, b, c])
})

function limit(
  direction: 'scaleUp' | 'scaleDown',
  of: CompleteRules,
  { replicas = 10, events = NO_EVENTS }: Partial<Parameters<typeof limitOf>[2]> = {},
): number {
  return limitOf(direction, of, { now: 100_000, replicas, events })
}

const PERCENT = { type: 'Percent', value: 25, periodSeconds: 10 } as const

for (const [selectPolicy, up, down] of [
  ['Max', 14, 6],
  ['Min', 13, 7],
  ['Disabled', 10, 10],
] as const) {
  test(`limitOf allows 10 replicas to become ${up} or ${down} by ${selectPolicy}`, () => {
    assert.equal(limit('scaleUp', rules(selectPolicy, POLICY, PERCENT)), up)
    assert.equal(limit('scaleDown', rules(selectPolicy, POLICY, PERCENT)), down)
  })
}

test('limitOf rounds up when it grows and down when it shrinks', () => {
  assert.equal(limit('scaleUp', rules('Max', PERCENT), { replicas: 1 }), 2)
  assert.equal(limit('scaleDown', rules('Max', PERCENT), { replicas: 1 }), 0)
  const half = rules('Max', { ...PERCENT, value: 50 })
  assert.equal(limit('scaleDown', half, { replicas: 3 }), 1)
})

test('limitOf is negative if a policy allows to remove more than all replicas', () => {
  assert.equal(limit('scaleDown', rules('Max', { ...PERCENT, value: 150 })), -5)
  assert.equal(limit('scaleDown', rules('Max', { ...POLICY, value: 40 })), -30)
})

test('limitOf counts from the size at the beginning of the period', () => {
  const events = {
    scaleUp: [
      { at: 85_000, replicas: 100 },
      { at: 91_000, replicas: 3 },
    ],
    scaleDown: [{ at: 95_000, replicas: 1 }],
  }
  // The size was 8 ten seconds ago.
  assert.equal(limit('scaleUp', rules('Max', POLICY), { events }), 12)
  assert.equal(limit('scaleDown', rules('Max', POLICY), { events }), 4)
  assert.equal(limit('scaleUp', rules('Max', PERCENT), { events }), 10)
})

test('limitOf wraps around if a policy allows more than fits into 32 bits', () => {
  const huge = { ...POLICY, value: 2 ** 31 - 1 }
  assert.ok(limit('scaleUp', rules('Max', huge)) < 0)
  assert.ok(limit('scaleUp', rules('Max', { ...huge, type: 'Percent' })) > 2 ** 27)
})
