import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentMap } from '#serving/limits/recent-map.ts'

test('a RecentMap forgets the entry that was used longest ago', () => {
  const map = new RecentMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.get('a')
  map.set('c', 3)
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => map.get(key)),
    [1, undefined, 3],
  )
})

test('those that are over are deleted, up to the first one that is not', () => {
  const map = new RecentMap<string, number>(10)
  for (const [index, key] of ['a', 'b', 'c', 'd'].entries()) map.set(key, index)
  map.get('a')
  map.deleteOver((value) => value !== 2)
  assert.deepEqual(
    [...map.entries()],
    [
      ['c', 2],
      ['d', 3],
      ['a', 0],
    ],
  )
})
