// How many nodes a pending job counts as.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodesFor } from '#scaling/placement/queue-sums.ts'

const MOST = { cores: 8, gpus: 2 }
const SLOT = { nodes: undefined, slots: 5, cores: 1, gpus: 0, exclusive: false }

test('a number of nodes counts as it is', () => {
  assert.equal(nodesFor({ ...SLOT, nodes: 3 }, MOST), 3)
})

test('slots count with the nodes that have room for them, by cores and by GPUs', () => {
  assert.equal(nodesFor(SLOT, MOST), 1)
  assert.equal(nodesFor({ ...SLOT, cores: 5 }, MOST), 5)
  assert.equal(nodesFor({ ...SLOT, cores: 4 }, MOST), 3)
  assert.equal(nodesFor({ ...SLOT, gpus: 1 }, MOST), 3)
  assert.equal(nodesFor({ ...SLOT, gpus: 2 }, MOST), 5)
})

test('slots that no node has room for, and slots of nothing, are no infinity', () => {
  assert.equal(nodesFor({ ...SLOT, cores: 9 }, MOST), 5)
  assert.equal(nodesFor({ ...SLOT, cores: 0 }, MOST), 0)
})
