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
