// The pages can be rendered: every row of a table has the cells of its head, every block of code ends.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PAGES, readPage } from './pages.ts'

function isRow(line: string): boolean {
  return /^ *\|/.test(line)
}

/** A bar within code ends a cell, too, unless it is escaped. */
function cellsOf(row: string): number {
  return row.replaceAll('\\|', '').split('|').length
}

for (const page of PAGES) {
  test(`${page} can be rendered`, () => {
    const text = readPage(page)
    assert.equal([...text.matchAll(/^ *```/gm)].length % 2, 0, 'a block of code does not end')
    const lines = text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, '').split('\n')
    const broken = lines.filter(
      (line, index) =>
        isRow(line) &&
        isRow(lines[index - 1] ?? '') &&
        cellsOf(line) !== cellsOf(lines[index - 1] ?? ''),
    )
    assert.deepEqual(broken, [])
  })
}
