import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LimitInput, limitsFor } from '../../../../webhook/cli/hpa-controller/limits.ts'
import type { Behavior } from '../../../../webhook/cli/hpa-controller/spec.ts'

const OPTIONS = { stabilizationSeconds: 300 }

function outcome(behavior: Behavior | undefined, given: Partial<LimitInput>) {
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

/** Recommendations by their age in seconds. */
function recommended(...all: readonly (readonly [secondsAgo: number, replicas: number])[]) {
  return all.map(([secondsAgo, replicas]) => ({ at: 1_000_000 - secondsAgo * 1000, replicas }))
}

for (const [name, given, expected] of [
  [
    'sets the size that the metrics ask for',
    { proposal: 15 },
    { replicas: 15, stabilized: 15, ableToScale: 'ReadyForNewScale', limit: 'DesiredWithinRange' },
  ],
  [
    'at most doubles its size',
    { proposal: 30 },
    { replicas: 20, stabilized: 30, ableToScale: 'ReadyForNewScale', limit: 'ScaleUpLimit' },
  ],
  [
    'may grow to 4 from any size',
    { replicas: 1, proposal: 30, minReplicas: 1 },
    { replicas: 4, stabilized: 30, ableToScale: 'ReadyForNewScale', limit: 'ScaleUpLimit' },
  ],
  [
    'does not exceed maxReplicas',
    { replicas: 40, proposal: 65 },
    { replicas: 64, stabilized: 65, ableToScale: 'ReadyForNewScale', limit: 'TooManyReplicas' },
  ],
  [
    'does not shrink below minReplicas',
    { proposal: 1 },
    { replicas: 2, stabilized: 1, ableToScale: 'ReadyForNewScale', limit: 'TooFewReplicas' },
  ],
  [
    'shrinks to the highest recommendation of the window',
    { proposal: 3, recommendations: recommended([301, 9], [299, 5], [15, 4]) },
    { replicas: 5, stabilized: 5, ableToScale: 'ScaleDownStabilized', limit: 'DesiredWithinRange' },
  ],
  [
    'grows to the highest recommendation of the window though the metrics ask for less',
    { proposal: 3, recommendations: recommended([15, 12]) },
    {
      replicas: 12,
      stabilized: 12,
      ableToScale: 'ScaleDownStabilized',
      limit: 'DesiredWithinRange',
    },
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
    'sets the size that the metrics ask for',
    { proposal: 12 },
    { replicas: 12, stabilized: 12, ableToScale: 'ReadyForNewScale', limit: 'DesiredWithinRange' },
  ],
  [
    'grows to the lowest recommendation of the window',
    { proposal: 12, recommendations: recommended([61, 10], [59, 11]) },
    { replicas: 11, stabilized: 11, ableToScale: 'ScaleUpStabilized', limit: 'DesiredWithinRange' },
  ],
  [
    'does not shrink if the lowest recommendation of scaleUp is below its size',
    { proposal: 12, recommendations: recommended([15, 3]) },
    { replicas: 10, stabilized: 10, ableToScale: 'ScaleUpStabilized', limit: 'DesiredWithinRange' },
  ],
  [
    'shrinks to the highest recommendation of the window',
    { proposal: 8, recommendations: recommended([121, 10], [119, 9]) },
    { replicas: 9, stabilized: 9, ableToScale: 'ScaleDownStabilized', limit: 'DesiredWithinRange' },
  ],
  [
    'does not grow if the highest recommendation of scaleDown is above its size',
    { proposal: 8, recommendations: recommended([119, 20]) },
    {
      replicas: 10,
      stabilized: 10,
      ableToScale: 'ScaleDownStabilized',
      limit: 'DesiredWithinRange',
    },
  ],
  [
    'grows as fast as its policy allows',
    { proposal: 15 },
    { replicas: 12, stabilized: 15, ableToScale: 'ReadyForNewScale', limit: 'ScaleUpLimit' },
  ],
  [
    'shrinks as fast as its policy allows',
    { proposal: 5 },
    { replicas: 7, stabilized: 5, ableToScale: 'ReadyForNewScale', limit: 'ScaleDownLimit' },
  ],
  [
    'does not exceed maxReplicas',
    { proposal: 15, maxReplicas: 11 },
    { replicas: 11, stabilized: 15, ableToScale: 'ReadyForNewScale', limit: 'TooManyReplicas' },
  ],
  [
    'does not shrink below minReplicas',
    { proposal: 5, minReplicas: 8 },
    { replicas: 8, stabilized: 5, ableToScale: 'ReadyForNewScale', limit: 'TooFewReplicas' },
  ],
  [
    'does not shrink if it has grown more than its policy allows',
    { proposal: 15, events: { scaleUp: recommended([10, 5]), scaleDown: [] } },
    { replicas: 10, stabilized: 15, ableToScale: 'ReadyForNewScale', limit: 'ScaleUpLimit' },
  ],
  [
    'does not grow if it has shrunk more than its policy allows',
    { proposal: 5, events: { scaleUp: [], scaleDown: recommended([10, 5]) } },
    { replicas: 10, stabilized: 5, ableToScale: 'ReadyForNewScale', limit: 'ScaleDownLimit' },
  ],
] as const) {
  test(`with behavior an HPA ${name}`, () => {
    assert.deepEqual(outcome(SLOW, given), expected)
  })
}

test('a behavior without scaleDown has the window of the controller', () => {
  const recommendations = recommended([299, 8], [301, 9])
  assert.equal(outcome({ scaleUp: {} }, { proposal: 3, recommendations }).replicas, 8)
})

test('limitsFor keeps recommendations for the longer of the two windows', () => {
  assert.equal(limitsFor(undefined, OPTIONS).windowMs, 300_000)
  assert.equal(limitsFor(SLOW, OPTIONS).windowMs, 120_000)
  const never = { scaleUp: {}, scaleDown: { stabilizationWindowSeconds: 0 } }
  assert.equal(limitsFor(never, OPTIONS).windowMs, 0)
})
