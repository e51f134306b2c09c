import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reasonFor, reasonForFailure } from '../../../../webhook/cli/hpa-controller/reason.ts'

/** From 10 replicas. */
for (const [replicas, stabilized, proposal, limit, reason] of [
  [10, 10, 10, 'DesiredWithinRange', 'hold: on target'],
  [12, 12, 12, 'DesiredWithinRange', 'grow to 12'],
  [8, 8, 8, 'DesiredWithinRange', 'shrink to 8'],
  [10, 10, 3, 'DesiredWithinRange', 'hold: stabilizing, then 3'],
  [8, 8, 3, 'DesiredWithinRange', 'shrink to 8: stabilizing, then 3'],
  [14, 30, 30, 'ScaleUpLimit', 'grow to 14, on the way to 30'],
  [7, 3, 3, 'ScaleDownLimit', 'shrink to 7, on the way to 3'],
  [10, 30, 30, 'ScaleUpLimit', 'hold: policies keep it from 30'],
  [10, 3, 3, 'ScaleDownLimit', 'hold: policies keep it from 3'],
  [16, 30, 30, 'TooManyReplicas', 'grow to 16: 30 is above maxReplicas'],
  [10, 30, 30, 'TooManyReplicas', 'hold: 30 is above maxReplicas'],
  [2, 1, 1, 'TooFewReplicas', 'shrink to 2: 1 is below minReplicas'],
] as const) {
  test(`reasonFor says "${reason}"`, () => {
    const outcome = { replicas, stabilized, ableToScale: 'ReadyForNewScale', limit } as const
    assert.equal(reasonFor({ before: 10, proposal, outcome }), reason)
  })
}

test('reasonForFailure says how many metrics failed', () => {
  assert.equal(reasonForFailure([undefined]), 'hold: no metric')
  assert.equal(reasonForFailure([undefined, undefined]), 'hold: no metrics')
  assert.equal(
    reasonForFailure([3, undefined, 4]),
    'hold: 1 of 3 metrics failed, the others ask for less',
  )
})
