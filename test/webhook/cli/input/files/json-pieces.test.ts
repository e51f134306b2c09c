import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonPieces } from '../../../../../webhook/cli/input/files/json-pieces.ts'

for (const [text, pieces] of [
  ['', [0]],
  ['a: {b: 1}\n{c: 2}', [0]],
  ['{"a": 1}', [0]],
  [' \n{"a": 1} {"b": 2}', [0, 11]],
  ['{"a": "}{\\"}{"}{"b": [{}, {}]}\n{}', [0, 15, 31]],
  ['{"a": 1}\n---\n{"b": 2}', [0]],
  ['{"a": "\n---\n"}{}', [0, 14]],
  ['{"a": "unfinished', [0]],
] as const) {
  test(`jsonPieces cuts ${JSON.stringify(text)}`, () => {
    assert.deepEqual(jsonPieces(text), pieces)
  })
}

test('jsonPieces cuts long texts without backtracking', () => {
  const text = JSON.stringify({ a: '"{'.repeat(1_000_000) })
  assert.deepEqual(jsonPieces(`${text}${text}`), [0, text.length])
})
