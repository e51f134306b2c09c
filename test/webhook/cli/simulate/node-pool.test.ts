// The nodes below the pods: when they are bought, when they are given back, and what that costs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Agenda } from '#simulation/agenda.ts'
import { hpaSpecFor } from '../../../../webhook/cli/hpa/recommended-hpa.ts'
import { NodePool, type NodePoolOptions } from '../../../../webhook/cli/simulate/node-pool.ts'
import { Simulation } from '../../../../webhook/cli/simulate/simulation.ts'
import { traceRun } from '../../../../webhook/cli/simulate/trace.ts'

const SLOW: NodePoolOptions = { bootMs: 30_000, keepMs: 60_000, podsPerNode: 2 }

function poolWith(options: NodePoolOptions, available?: number) {
  const agenda = new Agenda()
  let now = 0
  const pool = new NodePool(options, { agenda, now: () => now }, available)
  const passTo = (time: number) => {
    while ((agenda.nextAt ?? Number.POSITIVE_INFINITY) <= time) {
      now = agenda.nextAt ?? now
      agenda.next()
    }
    now = time
  }
  return { pool, passTo }
}

test('a node is bought when no pod fits, and pods that fit wait for it with the first', () => {
  const { pool, passTo } = poolWith(SLOW)
  assert.equal(pool.place(0), 30_000)
  passTo(10_000)
  assert.equal(pool.place(1), 30_000)
  assert.equal(pool.place(2), 40_000)
  assert.equal(pool.count, 2)
  passTo(50_000)
  assert.equal(pool.place(3), 50_000)
  assert.equal(pool.count, 2)
})

test('a node is given back when it has been empty for a while; a half-empty one stays', () => {
  const { pool, passTo } = poolWith(SLOW)
  for (const index of [0, 1, 2]) pool.placeNow(index)
  pool.remove(0)
  pool.remove(2)
  passTo(59_999)
  assert.equal(pool.count, 2)
  assert.ok(pool.hasEmpty)
  passTo(60_000)
  assert.equal(pool.count, 1)
  passTo(600_000)
  assert.equal(pool.count, 1)
})

test('a pod that comes in time keeps an empty node, and its time begins anew', () => {
  const { pool, passTo } = poolWith(SLOW)
  pool.placeNow(0)
  pool.remove(0)
  passTo(50_000)
  assert.equal(pool.place(1), 50_000)
  passTo(60_000)
  assert.equal(pool.count, 1)
  pool.remove(1)
  passTo(119_999)
  assert.equal(pool.count, 1)
  passTo(120_000)
  assert.equal(pool.count, 0)
})

test('no more nodes than there are', () => {
  const { pool } = poolWith({ ...SLOW, podsPerNode: 1 }, 1)
  assert.equal(pool.place(0), 30_000)
  assert.equal(pool.place(1), undefined)
  pool.remove(0)
  assert.equal(pool.place(1), 30_000)
})

const HPA = hpaSpecFor(
  { kind: 'MiniCluster', name: 'flux-sample' },
  { minReplicas: 1, maxReplicas: 16 },
  { hasTolerance: true, drains: false },
)

function run(nodes?: NodePoolOptions) {
  const simulation = new Simulation({
    instance: { maxSize: 16, coresPerNode: 8 },
    size: 1,
    arrivals: [{ atMs: 10_000, job: { nodes: 8, duration: 600 } }],
    hpa: HPA,
    snapshots: { drains: undefined },
    ...(nodes && { nodes }),
  })
  return traceRun(simulation, { limitMs: 7_200_000, restSize: 1 }).summary
}

test('nodes that boot delay the job, and nodes that are kept cost more than their pods', () => {
  const atOnce = run()
  assert.equal(atOnce.boughtNodeHours, atOnce.nodeHours)
  const bought = run({ bootMs: 30_000, keepMs: 300_000, podsPerNode: 1 })
  assert.equal(bought.completed, 1)
  assert.equal(Math.round(bought.meanWait - atOnce.meanWait), 30)
  // Eight nodes for a job of 10 min; seven of them are bought 30 s earlier and kept for 5 min.
  const extra = (7 * (30 + 300)) / 3600
  assert.ok(Math.abs(bought.boughtNodeHours - bought.nodeHours - extra) < 0.05)
})

test('with several pods a node fewer nodes are bought', () => {
  const { boughtNodeHours, nodeHours } = run({ bootMs: 30_000, keepMs: 30_000, podsPerNode: 4 })
  assert.ok(boughtNodeHours < nodeHours / 2)
})

test('there is always room for the pods that are placed, and no more nodes than pods unless they are kept', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(20), fc.nat(40_000)), { maxLength: 60 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 3 }), (moves, podsPerNode) => {
      const { pool, passTo } = poolWith({ bootMs: 20_000, keepMs: 30_000, podsPerNode }, 8)
      const placed = new Set<number>()
      let time = 0
      for (const [isNew, index, passes] of moves) {
        time += passes
        passTo(time)
        if (isNew && !placed.has(index) && pool.place(index) !== undefined) placed.add(index)
        else if (placed.delete(index)) pool.remove(index)
        assert.ok(pool.count <= 8)
        assert.ok(pool.count * podsPerNode >= placed.size)
      }
      for (const index of placed) pool.remove(index)
      passTo(time + 30_000)
      assert.equal(pool.count, 0)
    }),
  )
})
