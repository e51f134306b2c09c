// What jobs need. Where they are placed is in demand.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseResourceSet } from '#flux/sets/resource-set.ts'
import { unknown } from '#reading/unknown.ts'
import { coresOfSlot, type Need, nodeCoresOf, slotsOn, waysOf } from '#scaling/placement/need.ts'
import { requestFor, waitingJob } from '../../support/waiting.ts'

const EIGHT = { most: 8, fewest: 8 }

/** A job of which job-list says this alone; nodes have eight cores. */
function needFor(changes: Parameters<typeof waitingJob>[0]): Need | undefined {
  const job = waitingJob({ ntasks: undefined, ncores: undefined, ...changes })
  const ways = waysOf(job, EIGHT)
  assert.ok(ways === undefined || (ways.length === 1 && ways[0]?.length === 1))
  return ways?.[0]?.[0]
}

function slots(count: number, cores: number): Need {
  return { nodes: undefined, slots: count, cores, gpus: 0, exclusive: false }
}

test('nodeCoresOf is the most and the fewest cores of a rank, wherever it stands in R', () => {
  const R_lite = ['0-3', '0-7', '0-1', '0-4'].map((core, rank) => {
    return { rank: `${rank}`, children: { core } }
  })
  const all = parseResourceSet({ version: 1, execution: { R_lite } })
  assert.deepEqual(nodeCoresOf(all), { most: 8, fewest: 2 })
})

test('waysOf returns the request of a jobspec unchanged, whatever job-list says', () => {
  const part = { nodes: 2, slots: 4, cores: 3, gpus: 1, exclusive: true }
  assert.deepEqual(needFor({ nnodes: 9, ncores: 9, request: requestFor(part) }), part)
})

test('waysOf knows no needs of a jobspec that cannot be read', () => {
  assert.equal(needFor({ nnodes: 2, request: unknown('an odd shape') }), undefined)
})

test('waysOf reads a number of nodes without cores as whole nodes', () => {
  const need = { nodes: 3, slots: 3, cores: 0, gpus: 0, exclusive: true }
  assert.deepEqual(needFor({ nnodes: 3 }), need)
})

test('waysOf takes tasks that share the cores evenly for slots (flux submit -n4 -c5)', () => {
  assert.deepEqual(needFor({ ntasks: 4, ncores: 20 }), slots(4, 5))
})

/** Cores alone (flux batch -n8 -c5), and the slots with which they take the most nodes of eight cores. */
for (const [ncores, count, cores] of [
  [1, 1, 1],
  [5, 1, 5],
  [8, 1, 8],
  [10, 2, 5],
  [40, 8, 5],
  [64, 8, 8],
  [21, 7, 3],
  [13, 13, 1],
] as const) {
  test(`waysOf takes ${ncores} cores of a guest's job for ${count} slots of ${cores}`, () => {
    assert.deepEqual(needFor({ ncores }), slots(count, cores))
  })
}

test('waysOf never needs fewer nodes than any equal slots of the same cores', () => {
  const size = fc.integer({ min: 1, max: 64 })
  fc.assert(
    fc.property(size, fc.integer({ min: 1, max: 64 }), size, (cores, count, perNode) => {
      fc.pre(cores <= perNode)
      const job = waitingJob({ ntasks: undefined, ncores: cores * count })
      const need = waysOf(job, { most: perNode, fewest: perNode })?.[0]?.[0]
      assert.ok(need !== undefined)
      assert.equal(need.slots * need.cores, cores * count)
      const nodesFor = (slot: number, slots: number) =>
        Math.ceil(slots / Math.floor(perNode / slot))
      assert.ok(nodesFor(need.cores, need.slots) >= nodesFor(cores, count))
    }),
  )
})

test('waysOf knows no needs where job-list gives neither nodes nor cores, and never takes them for one core', () => {
  assert.equal(needFor({}), undefined)
  assert.equal(needFor({ ntasks: 4 }), undefined)
})

test('waysOf knows no needs of cores alone where ranks differ: slots that take the most nodes may fit on few', () => {
  const nodes = { most: 16, fewest: 8 }
  assert.equal(waysOf(waitingJob({ ntasks: undefined, ncores: 40 }), nodes), undefined)
  const evenly = waitingJob({ ntasks: 8, ncores: 40 })
  assert.deepEqual(waysOf(evenly, nodes), [[slots(8, 5)]])
})

test('waysOf takes no cores for no slots', () => {
  assert.deepEqual(needFor({ ntasks: 4, ncores: 0 }), slots(0, 0))
  assert.deepEqual(needFor({ ncores: 0 }), slots(0, 1))
  assert.deepEqual(needFor({ nnodes: 0, ntasks: 0, ncores: 0 }), { ...slots(0, 0), nodes: 0 })
})

test('waysOf does not believe more cores per node than nodes have (slot=4/node/core=8)', () => {
  assert.equal(needFor({ nnodes: 4, ntasks: 16, ncores: 128 }), undefined)
  assert.deepEqual(needFor({ nnodes: 4, ncores: 32 }), { ...slots(4, 8), nodes: 4 })
  // One task a node is no slot with nodes in it: the job can never run.
  assert.deepEqual(needFor({ nnodes: 4, ntasks: 4, ncores: 36 }), { ...slots(4, 9), nodes: 4 })
})

test('a slot gets what its range allows beside what it has without one', () => {
  const range = { min: 1, max: 3, operator: '+', operand: 1 }
  const slot = { nodes: undefined, slots: 1, gpus: 0, exclusive: false }
  /** Two cores, and one to three. */
  const beside = { ...slot, cores: 3, ranges: { cores: { ...range, times: 1 } } }
  assert.deepEqual(
    [2, 3, 4, 8, 10].map((free) => coresOfSlot(beside, free)),
    [3, 3, 4, 5, 5],
  )
  assert.deepEqual(
    [2, 3, 8, 10].map((free) => slotsOn(beside, free, 0)),
    [0, 1, 1, 2],
  )
})
