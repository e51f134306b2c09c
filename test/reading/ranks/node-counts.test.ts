// Counts of resources by hand. The recordings are counted in test/flux/sets/resource-set.test.ts and instance-reader.test.ts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdset } from '#flux/sets/idset.ts'
import { EMPTY_RESOURCE_SET, parseResourceSet } from '#flux/sets/resource-set.ts'
import { countResources } from '#reading/ranks/node-counts.ts'
import { ranksWith } from '../../support/snapshots.ts'

test('countResources counts a draining rank as allocated and down, a full one as not free, an idle one as free, too', () => {
  const all = ranksWith('0-5', { cores: '0-3', gpus: '0-1' })
  const allocated = parseResourceSet({
    version: 1,
    execution: {
      R_lite: [
        { rank: '0', children: { core: '0-3', gpu: '0-1' } },
        { rank: '1,4', children: { core: '0' } },
      ],
    },
  })
  const down = ranksWith('4-5', { cores: '0-3', gpus: '0-1' })
  assert.deepEqual(countResources({ all, allocated, down }, parseIdset('4,9')), {
    nodes: { total: 6, up: 4, down: 2, allocated: 3, free: 3, idle: 2, drained: 1 },
    cores: { total: 24, up: 16, allocated: 6, free: 11 },
    gpus: { total: 12, up: 8, allocated: 2, free: 6 },
  })
})

test('countResources counts a rank that has only a free GPU as free', () => {
  const all = ranksWith('0', { cores: '0-3', gpus: '0' })
  const allocated = ranksWith('0', { cores: '0-3' })
  const { nodes, cores, gpus } = countResources(
    { all, allocated, down: EMPTY_RESOURCE_SET },
    parseIdset(''),
  )
  assert.deepEqual([nodes.free, nodes.idle, cores.free, gpus.free], [1, 0, 0, 1])
})

test('countResources of no resources is 0', () => {
  const nothing = {
    all: EMPTY_RESOURCE_SET,
    allocated: EMPTY_RESOURCE_SET,
    down: EMPTY_RESOURCE_SET,
  }
  const { nodes, cores, gpus } = countResources(nothing, parseIdset(''))
  const numbers = [nodes, cores, gpus].flatMap((counts) => Object.values(counts))
  assert.deepEqual(new Set(numbers), new Set([0]))
})

test('countResources leaves out ranks of other clusters, whatever they are', () => {
  const sets = (ranks: string) => ({
    all: ranksWith(`0-3${ranks}`, { cores: '0-3', gpus: '0' }),
    allocated: ranksWith(`0,2${ranks}`, { cores: '0-1' }),
    down: ranksWith(`2-3${ranks}`, { cores: '0-3', gpus: '0' }),
  })
  const counts = countResources(sets(',4-7'), parseIdset('3-5'), parseIdset('4-7'))
  assert.deepEqual(counts, countResources(sets(''), parseIdset('3')))
  assert.deepEqual([counts.nodes.total, counts.cores.total, counts.nodes.drained], [4, 16, 1])
})

test('countResources counts a busy rank of ours that was excluded, whether or not there are other clusters', () => {
  const sets = (ranks: string) => ({
    all: ranksWith(`0-2${ranks}`, { cores: '0-3' }),
    allocated: ranksWith(`0,3${ranks}`, { cores: '0-1' }),
    down: ranksWith('2', { cores: '0-3' }),
  })
  const none = parseIdset('')
  const counts = countResources(sets(',4-7'), none, parseIdset('4-7'))
  assert.deepEqual(counts, countResources(sets(''), none))
  assert.deepEqual([counts.nodes.allocated, counts.cores.allocated], [2, 4])
})
