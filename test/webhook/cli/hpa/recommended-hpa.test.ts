import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compensatedSize } from '#scaling/hpa-tolerance.ts'
import {
  choicesFor,
  metricFor,
  obstacleTo,
  recommendHpa,
} from '../../../../webhook/cli/hpa/recommended-hpa.ts'
import { HpaController } from '../../../../webhook/cli/hpa-controller/controller.ts'
import { minicluster } from '../sources.ts'

const VERSION = 'flux-framework.org/v1alpha2'
const USUAL = { hasTolerance: true, drains: false }
const SYNC_MS = 15_000

/** The size of a MiniCluster of 2 to 64 nodes after each sync, for the metric that the sync finds. */
function sizes(
  choices: typeof USUAL,
  size: number,
  metrics: readonly (number | undefined)[],
): readonly number[] {
  const target = minicluster({ size, minSize: 2, maxSize: 64 })
  const hpa = new HpaController(recommendHpa(VERSION, target, choices).spec)
  let replicas = size
  return metrics.map((metric, index) => {
    const now = index * SYNC_MS
    const found = { statusReplicas: replicas, readyPods: replicas, metrics: [metric] }
    replicas = hpa.decide({ now, replicas, ...found }).replicas
    return replicas
  })
}

function constantly(metric: number, syncs: number): readonly number[] {
  return Array.from({ length: syncs }, () => metric)
}

test('the recommended HPA grows to any size in one sync', () => {
  assert.deepEqual(sizes(USUAL, 2, [64]), [64])
  assert.deepEqual(sizes(USUAL, 60, [61]), [61])
})

test('without tolerance the recommended HPA grows by one node with the compensated metric', () => {
  const choices = { ...USUAL, hasTolerance: false }
  assert.deepEqual(sizes(choices, 60, [61]), [60])
  assert.deepEqual(sizes(choices, 60, [compensatedSize(61, 60)]), [64])
  assert.equal(metricFor(choices), 'node_desired_compensated_count')
})

test('with the compensated metric the recommended HPA grows at least to the desired size', () => {
  const choices = { ...USUAL, hasTolerance: false }
  for (let size = 2; size < 64; size += 1) {
    for (let desired = size + 1; desired <= 64; desired += 1) {
      const [found = 0] = sizes(choices, size, [compensatedSize(desired, size)])
      assert.ok(found >= desired, `${size} to ${desired}: ${found}`)
    }
  }
})

test('the recommended HPA shrinks after the metric was lower for 300 s, by at most half in a minute', () => {
  const found = sizes(USUAL, 64, constantly(3, 40))
  const changes = found.flatMap((size, index) => (size === found[index - 1] ? [] : [[index, size]]))
  assert.deepEqual(changes, [
    [0, 64],
    [20, 32],
    [24, 16],
    [28, 8],
    [32, 4],
    [36, 3],
  ])
})

test('with drained ranks the recommended HPA shrinks after 60 s', () => {
  const found = sizes({ ...USUAL, drains: true }, 10, constantly(9, 5))
  assert.deepEqual(found, [10, 10, 10, 10, 9])
})

test('the recommended HPA holds its size while the metric is missing', () => {
  assert.deepEqual(sizes(USUAL, 10, [undefined, undefined]), [10, 10])
})

test('choicesFor depends on the API server and on the annotations of the MiniCluster', () => {
  const before = { major: 1, minor: 34 }
  const since = { major: 1, minor: 35 }
  const plain = minicluster({ size: 2, maxSize: 4 })
  assert.deepEqual(choicesFor(plain, before), { hasTolerance: false, drains: false })
  assert.deepEqual(choicesFor(plain, since), { hasTolerance: true, drains: false })
  const annotations = { 'flux-metrics/drain': 'true', 'flux-metrics/run-as-user': '1000' }
  const drained = { hasTolerance: true, drains: true }
  const onItself = minicluster({ size: 2, maxSize: 4 }, { annotations })
  const onPods = minicluster({ size: 2, maxSize: 4, pod: { annotations } })
  assert.deepEqual(choicesFor(onItself, since), drained)
  assert.deepEqual(choicesFor(onPods, since), drained)
})

for (const [sizesOf, problem] of [
  [{ size: 2, maxSize: 4 }, undefined],
  [{ size: 4, maxSize: 4 }, undefined],
  [{ size: 2, minSize: 2, maxSize: 3 }, undefined],
  [
    { size: 2 },
    'spec.maxSize: expected at least spec.size, 2, got none: without it a MiniCluster cannot grow',
  ],
  [
    { size: 8, maxSize: 4 },
    'the Flux Operator refuses the MiniCluster: spec.size is 8, above spec.maxSize 4',
  ],
  [
    { size: 4, minSize: 4, maxSize: 4 },
    'spec.maxSize: expected more than the smallest size, 4, got 4: there is nothing to scale',
  ],
  [
    { size: 1, maxSize: 1 },
    'spec.maxSize: expected more than the smallest size, 1, got 1: there is nothing to scale',
  ],
] as const) {
  const name = JSON.stringify(sizesOf)
  test(`obstacleTo finds ${problem === undefined ? 'no obstacle' : 'an obstacle'} for ${name}`, () => {
    assert.equal(obstacleTo(minicluster(sizesOf))?.problem, problem)
  })
}
