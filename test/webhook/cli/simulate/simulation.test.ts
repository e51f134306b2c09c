import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HpaSpec } from '../../../../webhook/cli/hpa-controller/spec.ts'
import { Simulation, type SimulationOptions } from '../../../../webhook/cli/simulate/simulation.ts'

/** An HPA on a metric with AverageValue "1", which shrinks after a minute. */
function hpaOn(name: string, selector?: Readonly<Record<string, string>>): HpaSpec {
  const metric = { name, ...(selector && { selector: { matchLabels: selector } }) }
  return {
    minReplicas: 1,
    maxReplicas: 8,
    metrics: [
      {
        type: 'Object',
        object: {
          describedObject: { kind: 'MiniCluster', name: 'flux-sample' },
          metric,
          target: { type: 'AverageValue', averageValue: '1' },
        },
      },
    ],
    behavior: {
      scaleUp: {
        tolerance: 0,
        stabilizationWindowSeconds: 0,
        policies: [{ type: 'Pods', value: 8, periodSeconds: 15 }],
      },
      scaleDown: { tolerance: 0, stabilizationWindowSeconds: 60 },
    },
  }
}

function simulate(options: Partial<SimulationOptions> = {}): Simulation {
  return new Simulation({
    instance: { maxSize: 8, coresPerNode: 4 },
    size: 1,
    arrivals: [],
    hpa: hpaOn('node_desired_count'),
    snapshots: { drains: undefined },
    ...options,
  })
}

/** Runs the simulation until a time. @returns the sizes that it had */
function sizesUntil(simulation: Simulation, elapsedMs: number): readonly number[] {
  const sizes = [simulation.size]
  while (simulation.elapsedMs < elapsedMs) {
    simulation.step()
    if (simulation.size !== sizes.at(-1)) sizes.push(simulation.size)
  }
  return sizes
}

test('the MiniCluster grows to the size of a job in one step, and shrinks when the job has ended and the grace is over', () => {
  const simulation = simulate({ arrivals: [{ atMs: 1_000, job: { nodes: 6, duration: 100 } }] })
  assert.deepEqual(sizesUntil(simulation, 60_000), [1, 6])
  assert.equal(simulation.instance.running.size, 1)
  assert.equal(simulation.isDone, false)
  // The job runs from 20 s to 120 s. The idle grace, the sidecar's window and the HPA's window add a minute each.
  assert.deepEqual(sizesUntil(simulation, 230_000), [6])
  assert.deepEqual(sizesUntil(simulation, 400_000), [6, 1])
  assert.equal(simulation.isDone, true)
  assert.deepEqual(simulation.losses, [])
})

test('a simulation with times that are fractions of milliseconds does not stop', () => {
  const simulation = simulate({
    instance: { maxSize: 8, coresPerNode: 4, lostPodCleanupMs: 0.1 },
    arrivals: [
      { atMs: 0.7, job: { nodes: 1, duration: 160.0653 } },
      { atMs: 1_000.0001, job: { cores: 1, duration: 0.00005 } },
      { atMs: 1_000.5, job: { nodes: 4, duration: 90.12345, timeLimit: 30.00001 } },
    ],
    outages: [{ atMs: 70_000.3, forMs: 0.9, endsBy: 'reconnect' }],
    times: { decideMs: 99.9, readMs: 10.3, joinMs: 4_000.0001 },
  })
  let steps = 0
  for (; !simulation.isDone && steps < 1_000; steps += 1) simulation.step()
  assert.ok(steps < 1_000, `the simulation stays at ${simulation.elapsedMs} ms`)
  const jobs = [...simulation.instance.jobs.values()]
  assert.deepEqual(
    jobs.map(({ result }) => result),
    ['successful', 'successful', 'timeout'],
  )
})

test('the size is held while the sidecar does not answer', () => {
  const simulation = simulate({
    arrivals: [{ atMs: 20_000, job: { nodes: 4, duration: 10 } }],
    outages: [{ atMs: 15_500, forMs: 100_000, endsBy: 'reconnect' }],
  })
  assert.deepEqual(sizesUntil(simulation, 115_000), [1])
  assert.equal(simulation.decision?.reason, 'hold: no metric')
  assert.deepEqual(sizesUntil(simulation, 140_000), [1, 4])
})

test('a job that starts on a rank whose pod is ending is killed; with drains it waits', () => {
  const options = {
    size: 4,
    // Rank 0 is busy and the others are idle. The second job is submitted when their pods are ending.
    arrivals: [
      { atMs: 0, job: { nodes: 1, duration: 600 } },
      { atMs: 130_000, job: { nodes: 1, duration: 300 } },
    ],
    times: { firstSyncMs: 10_000 },
    snapshots: { drains: undefined, patience: { idleGraceMs: 60_000 } },
    hpa: hpaOn('node_desired_count'),
  }
  const without = simulate(options)
  sizesUntil(without, 400_000)
  assert.deepEqual(
    without.losses.map(({ rank, resize }) => [rank, resize?.size]),
    [[1, 1]],
  )
  const withDrains = simulate({ ...options, snapshots: { drains: { instance: 'flux-sample' } } })
  sizesUntil(withDrains, 600_000)
  assert.deepEqual(withDrains.losses, [])
  assert.equal(withDrains.isDone, true)
})

test('an HPA can follow the size of one queue', () => {
  const instance = {
    maxSize: 8,
    coresPerNode: 4,
    queues: { batch: [0, 1, 2, 3], debug: [4, 5, 6, 7] },
  }
  const arrivals = [{ atMs: 1_000, job: { nodes: 1, queue: 'debug', duration: 1_000 } }]
  const ofBatch = simulate({
    ...{ instance, arrivals },
    hpa: hpaOn('node_desired_count', { queue: 'batch' }),
  })
  assert.deepEqual(sizesUntil(ofBatch, 60_000), [1])
  const ofDebug = simulate({
    ...{ instance, arrivals },
    hpa: hpaOn('node_desired_count', { queue: 'debug' }),
  })
  assert.deepEqual(sizesUntil(ofDebug, 60_000), [1, 5])
})

test('an HPA on an unknown metric does nothing', () => {
  const simulation = simulate({
    arrivals: [{ atMs: 0, job: { nodes: 3 } }],
    hpa: hpaOn('node_dezired_count'),
  })
  assert.deepEqual(sizesUntil(simulation, 60_000), [1])
})

test('a test can change the instance during a run', () => {
  const simulation = simulate({ size: 2 })
  const drained: number[] = []
  simulation.at(5_000, () => {
    simulation.instance.drain([1], 'broken fan')
    drained.push(simulation.elapsedMs)
  })
  sizesUntil(simulation, 6_000)
  assert.deepEqual(drained, [5_000])
  assert.equal(simulation.instance.nodes[1]?.drain?.reason, 'broken fan')
})
