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
