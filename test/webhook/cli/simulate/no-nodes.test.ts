// Nodes that never come: a job waits for more nodes than the cloud sells, and pods stay Pending. What the sizes, the grace, the floor
// and the drains do meanwhile, and what other jobs do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hpaSpecFor } from '../../../../webhook/cli/hpa/recommended-hpa.ts'
import { type Arrival, Simulation } from '../../../../webhook/cli/simulate/simulation.ts'

const TARGET = { kind: 'MiniCluster', name: 'flux-sample' }
const MINUTE = 60_000
/** When the user gives up the wide job, in milliseconds since it was submitted. */
const PATIENCE = 20 * MINUTE

/** For all eight nodes; the cloud has five. */
const WIDE: Arrival = { atMs: 2_000, job: { nodes: 8, duration: 60 }, cancelAfterMs: PATIENCE }

interface Options {
  readonly drains?: boolean
  readonly passesAbsent?: boolean
}

function simulate(
  arrivals: readonly Arrival[],
  { drains = false, passesAbsent = false }: Options = {},
): Simulation {
  return new Simulation({
    instance: { maxSize: 8, coresPerNode: 4, passesAbsent },
    size: 1,
    available: 5,
    arrivals,
    hpa: hpaSpecFor(TARGET, { minReplicas: 1, maxReplicas: 8 }, { hasTolerance: true, drains }),
    snapshots: { drains: drains ? { instance: 'test' } : undefined },
  })
}

/** Runs until a time. @returns the sizes that it had */
function sizesUntil(simulation: Simulation, elapsedMs: number): readonly number[] {
  const sizes = [simulation.size]
  while (simulation.elapsedMs < elapsedMs) {
    simulation.step()
    if (simulation.size !== sizes.at(-1)) sizes.push(simulation.size)
  }
  return sizes
}

function small(atMs: number, count: number, duration = 60): readonly Arrival[] {
  return Array.from({ length: count }, () => ({ atMs, job: { nodes: 1, duration } }))
}

for (const drains of [false, true]) {
  const mode = drains ? 'with drains' : 'without drains'

  test(`${mode}: the size stays wanted, idle nodes are kept for the job that waits, and it falls when the job is given up`, () => {
    const simulation = simulate([WIDE], { drains })
    assert.deepEqual(sizesUntil(simulation, PATIENCE), [1, 8])
    const { instance, pods } = simulation
    assert.deepEqual(instance.online, [0, 1, 2, 3, 4])
    assert.deepEqual([pods.count, pods.nodes, pods.ready], [8, 5, 5])
    assert.equal(instance.running.size, 0)
    assert.deepEqual(sizesUntil(simulation, PATIENCE + 15 * MINUTE).at(-1), 1)
    assert.deepEqual(instance.online, [0])
    assert.deepEqual([pods.count, pods.nodes], [1, 1])
    assert.deepEqual(
      instance.nodes.filter(({ drain, online }) => drain !== undefined && online),
      [],
    )
    assert.deepEqual(simulation.losses, [])
  })

  test(`${mode}: a job on a high rank keeps its node when the wide job is given up`, () => {
    const long = { atMs: 1_000, job: { nodes: 5, duration: 30 * 60 } }
    const simulation = simulate([long, WIDE], { drains })
    assert.deepEqual(sizesUntil(simulation, PATIENCE).at(-1), 8)
    assert.equal(simulation.instance.running.size, 1)
    assert.deepEqual(sizesUntil(simulation, 29 * MINUTE), [8, 5])
    assert.equal(simulation.instance.running.size, 1)
    assert.deepEqual(sizesUntil(simulation, 45 * MINUTE).at(-1), 1)
    assert.deepEqual(simulation.losses, [])
    assert.equal(simulation.instance.tally().results.successful, 1)
  })
}

test('in strict order small jobs wait behind the one that waits for nodes, although nodes are free', () => {
  const simulation = simulate([WIDE, ...small(3_000, 10)])
  assert.deepEqual(sizesUntil(simulation, PATIENCE), [1, 8])
  assert.equal(simulation.instance.tally().states.SCHED, 11)
  sizesUntil(simulation, PATIENCE + 4 * MINUTE)
  assert.equal(simulation.instance.tally().results.successful, 10)
})

test('where jobs pass one whose nodes are not up, small jobs run on the nodes that came', () => {
  const simulation = simulate([WIDE, ...small(3_000, 10), ...small(10 * MINUTE, 5)], {
    passesAbsent: true,
  })
  assert.deepEqual(sizesUntil(simulation, 9 * MINUTE), [1, 8])
  assert.equal(simulation.instance.tally().results.successful, 10)
  // No shrink takes a node from the small jobs that come later.
  assert.deepEqual(sizesUntil(simulation, PATIENCE), [8])
  assert.equal(simulation.instance.tally().results.successful, 15)
  assert.deepEqual(simulation.losses, [])
})
