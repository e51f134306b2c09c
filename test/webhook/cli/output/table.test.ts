import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTable } from '../../../../webhook/cli/output/table.ts'

test('formatTable makes columns as wide as their cells, the first aligned to the left, the others to the right', () => {
  const lines = formatTable(
    ['name', 'jobs'],
    [
      ['a long one', '7'],
      ['b', '12345'],
    ],
  )
  assert.deepEqual(lines, ['name         jobs', 'a long one      7', 'b           12345'])
})

test('a table that is too wide is cut into tables with the same first column', () => {
  const table = formatTable(['a', 'bbb', 'ccc', 'ddd', 'eee'], [['x', '1', '2', '3', '4']], 12)
  assert.deepEqual(table, ['a  bbb  ccc', 'x    1    2', '', 'a  ddd  eee', 'x    3    4'])
})
