// What is said of ranks that are not pods of the MiniCluster.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeBursted } from '#explaining/notices/bursted-ranks.ts'
import { EMPTY_IDSET, parseIdset } from '#flux/sets/idset.ts'
import { ALL_PODS } from '#reading/ranks/pod-ranks.ts'
import { unknown } from '#reading/unknown.ts'

function say(reading: Parameters<typeof describeBursted>[0]): readonly string[] {
  return describeBursted(reading).map(({ text }) => text)
}

function describe(bursted: string, burstedHosts: readonly string[]): readonly string[] {
  const ranks = parseIdset(bursted)
  return say({
    pods: { ...ALL_PODS, bursted: ranks, burstedHosts },
    ranks: { bursted: ranks },
  })
}

test('describeBursted names ranks of other clusters, and the first and the last of their hosts', () => {
  assert.deepEqual(describe('', []), [])
  const rest = 'not counted in sizes and nodes, never drained, and jobs there keep no pod'
  assert.deepEqual(describe('4', ['burst-0-0']), [
    `rank 4 is of another cluster (bursting, burst-0-0): ${rest}`,
  ])
  assert.deepEqual(describe('4-6', ['burst-0-0', 'burst-0-2']), [
    `ranks 4-6 are of another cluster (bursting, burst-0-0 to burst-0-2): ${rest}`,
  ])
})

test('describeBursted says why hosts prove nothing, and nothing where the size is an error', () => {
  const ranks = { bursted: EMPTY_IDSET }
  assert.deepEqual(say({ pods: { ...ALL_PODS, unchecked: 'R names no hosts' }, ranks }), [
    'R names no hosts: rank i is taken for the pod of index i',
  ])
  assert.deepEqual(say({ pods: unknown('rank 1 is on host b'), ranks }), [])
})

test('describeBursted cuts long hosts', () => {
  const long = 'h'.repeat(255)
  const [sentence = ''] = describe('4-6', [long, long])
  assert.ok(sentence.length < 300)
  const [unchecked = ''] = say({
    pods: { ...ALL_PODS, unchecked: `every rank of R is on host ${long}` },
    ranks: { bursted: EMPTY_IDSET },
  })
  assert.ok(unchecked.length < 300)
})
