import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HpaSpec } from '../../../../webhook/cli/hpa-controller/spec.ts'
import { type Arrival, Simulation } from '../../../../webhook/cli/simulate/simulation.ts'
import { traceRun } from '../../../../webhook/cli/simulate/trace.ts'

const HPA: HpaSpec = {
  maxReplicas: 4,
  metrics: [
    {
      type: 'Object',
      object: {
        describedObject: { kind: 'MiniCluster', name: 'flux-sample' },
        metric: { name: 'node_desired_count' },
        target: { type: 'AverageValue', averageValue: '1' },
      },
    },
  ],
  behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
}

function run(arrivals: readonly Arrival[], limitMs: number) {
  const simulation = new Simulation({
    instance: { maxSize: 4, coresPerNode: 4 },
    size: 1,
    arrivals,
    hpa: HPA,
    snapshots: { drains: undefined, patience: { idleGraceMs: 10_000 } },
  })
  return traceRun(simulation, { limitMs, restSize: 1 })
}

test('a run ends when its jobs have ended and the MiniCluster is small again', () => {
  const arrivals = [{ atMs: 20_000, job: { nodes: 3, duration: 100 } }]
  const { states, endMs, summary } = run(arrivals, 3_600_000)
  // The job waits for the sync at 30 s, its pods are ready 5.1 s later, and it ends at 135.1 s.
  assert.equal(summary.completed, 1)
  assert.deepEqual([summary.meanWait, summary.longestWait], [15.1, 15.1])
  assert.equal(summary.doneAfter, 135.1)
  assert.equal(summary.unfinished, 0)
  assert.ok(endMs > 135_100 && endMs < 300_000)
  assert.equal(states.at(-1)?.pods, 1)
  assert.equal(summary.busyNodeHours.toFixed(6), (300 / 3_600).toFixed(6))
  for (const [index, { atMs }] of states.entries()) {
    assert.ok(atMs > (states[index - 1]?.atMs ?? -1), 'one state for each time')
  }
})

test('a run that reaches its time limit counts unfinished jobs', () => {
  const arrivals = [
    { atMs: 0, job: { nodes: 1, duration: 30 } },
    { atMs: 1_000, job: { nodes: 4, duration: 1_000 } },
  ]
  const { endMs, summary } = run(arrivals, 100_000)
  assert.equal(endMs, 100_000)
  assert.equal(summary.doneAfter, undefined)
  assert.deepEqual([summary.completed, summary.unfinished, summary.killed], [1, 1, 0])
})
