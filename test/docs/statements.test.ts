// docs/SECURITY-TESTS.md names a test for each statement: the test is there.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../support/imports.ts'
import { readPage } from './pages.ts'

const ROWS = [
  ...readPage('docs/SECURITY-TESTS.md').matchAll(/^\| (.+?) \| `(test\/\S+)`(?:: (.+?))? \|$/gm),
].map(([, statement = '', path = '', title = '']) => ({ statement, path, title }))

test('every row of the tables is read', () => {
  const rows = readPage('docs/SECURITY-TESTS.md')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| statement'))
  assert.ok(rows.length > 40)
  assert.equal(ROWS.length, rows.length)
})

for (const { statement, path, title } of ROWS) {
  test(`"${statement}" has a test`, () => {
    assert.ok(existsSync(join(ROOT, path)), path)
    const source = readFileSync(join(ROOT, path), 'utf8')
    assert.ok(source.includes(title), `${path} has no test "${title}"`)
  })
}
