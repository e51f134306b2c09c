import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KnownLines } from '../../../../webhook/gateway/scraping/known-lines.ts'

function counted() {
  const read: string[] = []
  const lines = new KnownLines((line: string) => {
    read.push(line)
    return { line }
  })
  return { lines, read }
}

test('a line is read once, and has one meaning', () => {
  const { lines, read } = counted()
  assert.deepEqual(lines.get('a 1'), { line: 'a 1' })
  assert.equal(lines.get('a 1'), lines.get(['a', '1'].join(' ')))
  assert.deepEqual(lines.get('b 1'), { line: 'b 1' })
  assert.deepEqual(read, ['a 1', 'b 1'])
})

test('long lines are not kept', () => {
  const { lines, read } = counted()
  const long = 'x'.repeat(257)
  for (let time = 0; time < 2; time += 1) assert.deepEqual(lines.get(long), { line: long })
  assert.equal(read.length, 2)
})

test('the number of lines that are kept is bounded', () => {
  const { lines, read } = counted()
  lines.get('first')
  for (let line = 0; line < 2_048; line += 1) lines.get(`line ${line}`)
  assert.deepEqual(lines.get('first'), { line: 'first' })
  assert.equal(read.filter((line) => line === 'first').length, 2)
})
