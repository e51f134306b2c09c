import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Circumstances,
  limitsFor,
} from '../../../../../webhook/cli/simulate/hpa-controller/limits.ts'
import type { Behavior } from '../../../../../webhook/cli/simulate/hpa-controller/spec.ts'

const OPTIONS = { stabilizationSeconds: 300 }

function outcome(behavior: Behavior | undefined, given: Partial<Circumstances>) {
  return limitsFor(behavior, OPTIONS).apply({
    now: 1_000_000,
    replicas: 10,
    proposal: 10,
    recommendations: [],
    events: { scaleUp: [], scaleDown: [] },
    minReplicas: 2,
    maxReplicas: 64,
    ...given,
  })
}

/** Recommendations so many seconds ago. */
function recommended(...all: readonly (readonly [secondsAgo: number, replicas: number])[]) {
  return all.map(([secondsAgo, replicas]) => ({ at: 1_000_000 - secondsAgo * 1000, replicas }))
}

for (const [name, given, expected] of [
  [
    'goes where it is asked to',
    { proposal: 15 },
    { replicas: 15, wanted: 15, steadiness: 'ReadyForNewScale', limit: 'DesiredWithinRange' },
  ],
  [
    'at most doubles',
    { proposal: 30 },
    { replicas: 20, wanted: 30, steadiness: 'ReadyForNewScale', limit: 'ScaleUpLimit' },
  ],
  [
    'may go to 4 from anywhere',
    { replicas: 1, proposal: 30, minReplicas: 1 },
    { replicas: 4, wanted: 30, steadiness: 'ReadyForNewScale', limit: 'ScaleUpLimit' },
  ],
  [
    'stays below maxReplicas',
    { replicas: 40, proposal: 65 },
    { replicas: 64, wanted: 65, steadiness: 'ReadyForNewScale', limit: 'TooManyReplicas' },
  ],
  [
    'stays above minReplicas',
    { proposal: 1 },
    { replicas: 2, wanted: 1, steadiness: 'ReadyForNewScale', limit: 'TooFewReplicas' },
  ],
  [
    'shrinks to the highest of the window',
    { proposal: 3, recommendations: recommended([301, 9], [299, 5], [15, 4]) },
    { replicas: 5, wanted: 5, steadiness: 'ScaleDownStabilized', limit: 'DesiredWithinRange' },
  ],
  [
    'grows to the highest of the window though asked to shrink',
    { proposal: 3, recommendations: recommended([15, 12]) },
    { replicas: 12, wanted: 12, steadiness: 'ScaleDownStabilized', limit: 'DesiredWithinRange' },
  ],
] as const) {
  test(`without behavior an HPA ${name}`, () => {
    assert.deepEqual(outcome(undefined, given), expected)
  })
}

const SLOW: Behavior = {
  scaleUp: {
    stabilizationWindowSeconds: 60,
    policies: [{ type: 'Pods', value: 2, periodSeconds: 30 }],
  },
  scaleDown: {
    stabilizationWindowSeconds: 120,
    policies: [{ type: 'Pods', value: 3, periodSeconds: 30 }],
  },
}

for (const [name, given, expected] of [
  [
    'goes where it is asked to',
    { proposal: 12 },
    { replicas: 12, wanted: 12, steadiness: 'ReadyForNewScale', limit: 'DesiredWithinRange' },
  ],
  [
    'grows to the lowest of the window',
    { proposal: 12, recommendations: recommended([61, 10], [59, 11]) },
    { replicas: 11, wanted: 11, steadiness: 'ScaleUpStabilized', limit: 'DesiredWithinRange' },
  ],
  [
    'does not shrink where the lowest to grow to is lower',
    { proposal: 12, recommendations: recommended([15, 3]) },
    { replicas: 10, wanted: 10, steadiness: 'ScaleUpStabilized', limit: 'DesiredWithinRange' },
  ],
  [
    'shrinks to the highest of the window',
    { proposal: 8, recommendations: recommended([121, 10], [119, 9]) },
    { replicas: 9, wanted: 9, steadiness: 'ScaleDownStabilized', limit: 'DesiredWithinRange' },
  ],
  [
    'does not grow where the highest to shrink to is higher',
    { proposal: 8, recommendations: recommended([119, 20]) },
    { replicas: 10, wanted: 10, steadiness: 'ScaleDownStabilized', limit: 'DesiredWithinRange' },
  ],
  [
    'grows as fast as its policy allows',
    { proposal: 15 },
    { replicas: 12, wanted: 15, steadiness: 'ReadyForNewScale', limit: 'ScaleUpLimit' },
  ],
  [
    'shrinks as fast as its policy allows',
    { proposal: 5 },
    { replicas: 7, wanted: 5, steadiness: 'ReadyForNewScale', limit: 'ScaleDownLimit' },
  ],
  [
    'stays below maxReplicas',
    { proposal: 15, maxReplicas: 11 },
    { replicas: 11, wanted: 15, steadiness: 'ReadyForNewScale', limit: 'TooManyReplicas' },
  ],
  [
    'stays above minReplicas',
    { proposal: 5, minReplicas: 8 },
    { replicas: 8, wanted: 5, steadiness: 'ReadyForNewScale', limit: 'TooFewReplicas' },
  ],
  [
    'does not shrink by a policy that has seen too much growth',
    { proposal: 15, events: { scaleUp: recommended([10, 5]), scaleDown: [] } },
    { replicas: 10, wanted: 15, steadiness: 'ReadyForNewScale', limit: 'ScaleUpLimit' },
  ],
  [
    'does not grow by a policy that has seen too much shrinking',
    { proposal: 5, events: { scaleUp: [], scaleDown: recommended([10, 5]) } },
    { replicas: 10, wanted: 5, steadiness: 'ReadyForNewScale', limit: 'ScaleDownLimit' },
  ],
] as const) {
  test(`with behavior an HPA ${name}`, () => {
    assert.deepEqual(outcome(SLOW, given), expected)
  })
}

test('with a behavior that says nothing of shrinking, the window is that of the controller', () => {
  const recommendations = recommended([299, 8], [301, 9])
  assert.equal(outcome({ scaleUp: {} }, { proposal: 3, recommendations }).replicas, 8)
})

test('limitsFor remembers recommendations for the longer window', () => {
  assert.equal(limitsFor(undefined, OPTIONS).windowMs, 300_000)
  assert.equal(limitsFor(SLOW, OPTIONS).windowMs, 120_000)
  const never = { scaleUp: {}, scaleDown: { stabilizationWindowSeconds: 0 } }
  assert.equal(limitsFor(never, OPTIONS).windowMs, 0)
})
