import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { linesOf } from '../../../../webhook/kubernetes/connection/json-lines.ts'

async function* chunksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

async function read(text: string, sizes: readonly number[], maxBytes = 1_000): Promise<string[]> {
  const lines: string[] = []
  for await (const line of linesOf(chunksOf(Buffer.from(text), sizes), maxBytes)) lines.push(line)
  return lines
}

test('lines are whole however the bytes are cut, also within a character', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.json({ stringUnit: 'grapheme' }).filter((text) => !text.includes('\n'))),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      async (lines, sizes) => {
        const text = lines.map((line) => `${line}\n`).join('')
        assert.deepEqual(await read(text, sizes, 100_000), lines)
      },
    ),
  )
})

test('a last line that was cut off is left out, and so are empty lines', async () => {
  assert.deepEqual(await read('{"a":1}\n\n\n{"b"', [3]), ['{"a":1}'])
  assert.deepEqual(await read('', [1]), [])
})

test('a line is bounded, also one that never ends', async () => {
  assert.deepEqual(await read('12345\n12345\n', [64], 5), ['12345', '12345'])
  for (const sizes of [[64], [1], [4]]) {
    await assert.rejects(read('123456\n', sizes, 5), /a line has more than 5 bytes/)
    await assert.rejects(read('123456', sizes, 5), /a line has more than 5 bytes/)
  }
})
