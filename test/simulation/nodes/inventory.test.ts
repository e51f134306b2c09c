// Changes of nodes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createNodes } from '#simulation/instance-options.ts'
import { Inventory } from '#simulation/nodes/inventory.ts'

const START = 1_000

function inventoryOf(up: number): Inventory {
  return new Inventory(createNodes({ maxSize: 3, up }, START), START)
}

test('the history begins with the nodes that are up', () => {
  const online = { name: 'online', ranks: [0, 1], reason: undefined, at: START }
  assert.deepEqual(inventoryOf(2).changes, [online])
  assert.deepEqual(inventoryOf(0).changes, [])
})

test('up and down change only the nodes that are not in this state', () => {
  const inventory = inventoryOf(1)
  assert.deepEqual(inventory.up([0, 1], 2_000)?.ranks, [1])
  assert.deepEqual(inventory.down([1, 2], 3_000)?.ranks, [1])
  assert.equal(inventory.down([1, 2], 4_000), undefined)
  const conditions = inventory.nodes.map((node) => [node.online, node.wasOnline, node.changedAt])
  assert.deepEqual(conditions, [
    [true, true, START],
    [false, true, 3_000],
    [false, false, START],
  ])
})

test('drain and undrain are in the history, with the reason of the drain', () => {
  const inventory = inventoryOf(3)
  inventory.drain([0, 2], 'disk is failing', 2_000)
  assert.deepEqual(inventory.nodes[2]?.drain, { timestamp: 2, reason: 'disk is failing' })
  inventory.undrain([2], 3_000)
  assert.equal(inventory.nodes[2]?.drain, undefined)
  assert.deepEqual(inventory.changes.slice(1), [
    { name: 'drain', ranks: [0, 2], reason: 'disk is failing', at: 2_000 },
    { name: 'undrain', ranks: [2], reason: undefined, at: 3_000 },
  ])
})

test('an unknown rank is refused', () => {
  assert.throws(() => inventoryOf(3).up([3], START), /^RangeError: Cannot find rank 3$/)
})
