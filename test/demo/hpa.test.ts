import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hpa } from './hpa.ts'

const SPEC = {
  minReplicas: 2,
  maxReplicas: 16,
  averageValue: 1,
  tolerance: 0.1,
  stabilizationMs: 10_000,
  scaleUpPeriodMs: 15_000,
}

test('Hpa asks for the metric divided by the target, rounded up', () => {
  const hpa = new Hpa({ ...SPEC, averageValue: 2 })
  assert.deepEqual(hpa.decide(2, 5, 0), { replicas: 3, reason: 'grow to 3' })
})

test('Hpa holds its size without a metric', () => {
  assert.deepEqual(new Hpa(SPEC).decide(7, undefined, 0), {
    replicas: 7,
    reason: 'hold: no metric',
  })
})

test('Hpa ignores what is within its tolerance', () => {
  assert.equal(new Hpa(SPEC).decide(10, 11, 0).replicas, 10)
})

test('Hpa grows at most to the double, or by 4, within a period', () => {
  const hpa = new Hpa(SPEC)
  assert.deepEqual(hpa.decide(2, 16, 0), { replicas: 6, reason: 'grow to 6, on the way to 16' })
  assert.equal(hpa.decide(6, 16, 3_000).replicas, 6)
  assert.equal(hpa.decide(6, 16, 15_001).replicas, 12)
})

test('Hpa shrinks to the highest recommendation of its window', () => {
  const hpa = new Hpa(SPEC)
  hpa.decide(8, 8, 0)
  assert.deepEqual(hpa.decide(8, 3, 5_000), { replicas: 8, reason: 'hold: stabilizing, then 3' })
  assert.deepEqual(hpa.decide(8, 3, 10_001), { replicas: 3, reason: 'shrink to 3' })
})

test('Hpa stays within its bounds', () => {
  const hpa = new Hpa({ ...SPEC, stabilizationMs: 0 })
  assert.equal(hpa.decide(2, 0, 0).replicas, 2)
  assert.equal(hpa.decide(16, 100, 20_000).replicas, 16)
})
