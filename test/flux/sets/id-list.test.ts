// Idsets as lists of ids, compared with Set<number>.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { idsetOf, listIds, toIdset } from '#flux/sets/id-list.ts'
import { formatIdset, idsBetween, parseIdset } from '#flux/sets/idset.ts'
import { arbitraryIds, idsToText } from '../../support/arbitraries.ts'

test('listIds and toIdset are inverse', () => {
  fc.assert(
    fc.property(arbitraryIds, (ids) => {
      const set = parseIdset(idsToText(ids))
      const list = listIds(set)
      assert.deepEqual(
        [...list],
        [...ids].sort((a, b) => a - b),
      )
      const marks = new Uint8Array(50)
      for (const id of list) marks[id] = 1
      assert.deepEqual(formatIdset(toIdset(marks)), formatIdset(set))
    }),
  )
})

test('idsetOf joins ascending ids, and listIds returns them', () => {
  fc.assert(
    fc.property(arbitraryIds, (ids) => {
      const ascending = [...ids].sort((a, b) => a - b)
      assert.equal(formatIdset(idsetOf(ascending)), idsToText(ids))
      assert.deepEqual([...listIds(idsetOf(ascending))], ascending)
    }),
  )
})

test('idsBetween includes its first id and excludes its end', () => {
  assert.deepEqual(
    [idsBetween(2, 5), idsBetween(2, 3), idsBetween(2, 2), idsBetween(5, 2)].map(formatIdset),
    ['2-4', '2', '', ''],
  )
})
