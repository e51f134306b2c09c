// How many nodes a pending job counts as, and the ranks that the jobs of a queue come to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_IDSET, formatIdset, parseIdset } from '#flux/sets/idset.ts'
import { addPlaced, emptySums, finish, nodesFor } from '#scaling/placement/queue-sums.ts'

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

test('a queue without waiting jobs wants none of its ranks for a job of another queue that may be given any', () => {
  const ranks = parseIdset('0-5')
  const place = { domain: { ranks, usable: ranks, startable: ranks }, allocated: EMPTY_IDSET }
  const placedIn = (waits: readonly number[], mayUseAnyRank: boolean) => {
    const sums = { ...emptySums(place, 6), waits: [...waits] }
    if (waits.length > 0) addPlaced(sums, parseIdset('0,2-4'))
    return formatIdset(finish(sums, { mayUseAnyRank, bursted: parseIdset('3') }).placed)
  }
  assert.equal(placedIn([], true), '')
  assert.equal(placedIn([1], true), '0-2,4-5')
  assert.equal(placedIn([1], false), '0,2,4')
})
