import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findExcess, parseBounded } from '#serving/json-bounds.ts'

const excess = (json: string) => findExcess(Buffer.from(json))
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)

const TOO_DEEP = 'more than 100 values inside each other'
const TOO_MANY = 'more than 100000 keys and values'
const MIB = 2 ** 20

test('findExcess allows 100 values inside each other, and no more', () => {
  assert.deepEqual([excess(nested(100)), excess(nested(101))], [undefined, TOO_DEEP])
  assert.equal(excess('{"a":'.repeat(101)), TOO_DEEP)
})

test('findExcess counts the depth of one place, not of all', () => {
  assert.equal(excess(`[${Array(50).fill(nested(60)).join()}]`), undefined)
})

test('findExcess allows 100,000 keys and values, and no more', () => {
  const numbers = (count: number) => `[${Array(count).fill(1).join()}]`
  assert.deepEqual([excess(numbers(99_999)), excess(numbers(100_000))], [undefined, TOO_MANY])
  const keys = Array.from({ length: 50_001 }, (_, index) => `"k${index}":1`)
  assert.equal(excess(`{${keys.join()}}`), TOO_MANY)
  assert.equal(excess(`[${Array(50_001).fill('{}').join()}]`), TOO_MANY)
})

test('findExcess counts nothing inside of strings', () => {
  const text = JSON.stringify({ value: `${nested(200)}\\"${',:'.repeat(100_000)}"` })
  assert.equal(excess(text), undefined)
  assert.equal(excess(`["\\\\",${nested(101)}]`), TOO_DEEP)
  assert.equal(excess(`["\\"${nested(200)}"]`), undefined)
})

for (const [what, unit] of [
  ['brackets', '['],
  ['keys', '"a":1,'],
  ['objects', '{"a":'],
] as const) {
  test(`findExcess gives up early in 7 MiB of ${what}`, () => {
    const body = Buffer.from(unit.repeat((7 * MIB) / unit.length))
    assert.notEqual(findExcess(body), undefined)
  })
}

test('findExcess looks at the text of a broken body to its end, and leaves it to the parser', () => {
  assert.deepEqual(['', '"', '"\\', ']]', '{"a":"'].map(excess), Array(5).fill(undefined))
})

test('findExcess allows each recorded review, with far fewer than it could have', () => {
  const reviews = globSync(join(import.meta.dirname, '../golden/*/review.json'))
  assert.ok(reviews.length > 20)
  for (const path of reviews) assert.equal(findExcess(readFileSync(path)), undefined, path)
})

test('parseBounded parses bytes and texts, and says what is wrong with others', () => {
  const value = { ä: [1] }
  const text = JSON.stringify(value)
  assert.deepEqual(parseBounded(text), { kind: 'parsed', value })
  assert.deepEqual(parseBounded(Buffer.from(text)), { kind: 'parsed', value })
  const what = 'more than 2 keys and values'
  assert.deepEqual(parseBounded(text, { maxValues: 2 }), { kind: 'excess', what })
  assert.equal(parseBounded('{').kind, 'malformed')
})
