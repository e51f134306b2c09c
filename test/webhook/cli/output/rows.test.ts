import assert from 'node:assert/strict'
import { test } from 'node:test'
import { row } from '../../../../webhook/cli/output/rows.ts'

const PLAIN = { columns: 24, hasColor: false }

test('row breaks a text at spaces, beside its subject, and a long word where the line ends', () => {
  assert.deepEqual(row('fix', 'one two three four', PLAIN), [
    'fix      one two three',
    '         four',
  ])
  assert.deepEqual(row('', 'a'.repeat(20), PLAIN), [
    `         ${'a'.repeat(15)}`,
    `         ${'a'.repeat(5)}`,
  ])
})

test('row replaces control characters, and colours the text alone', () => {
  assert.deepEqual(row('x', 'a\u001b[2J', PLAIN), ['x        a\\u{1b}[2J'])
  const [line = ''] = row('x', 'a', { ...PLAIN, hasColor: true, style: 'red' })
  assert.equal(line, `x        \u001b[31ma\u001b[39m`)
})
