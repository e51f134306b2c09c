import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { readBoundedText } from '#serving/bounded-text.ts'

function stream(...pieces: readonly (string | Buffer)[]): Readable {
  return Readable.from(pieces.map((piece) => Buffer.from(piece)))
}

test('readBoundedText joins the pieces of a character', async () => {
  const [first, second] = [Buffer.from('aä').subarray(0, 2), Buffer.from('ä').subarray(1)]
  assert.equal(await readBoundedText(stream(first, second), 3), 'aä')
  assert.equal(await readBoundedText(stream(), 0), '')
})

test('readBoundedText reads no more than it may, and ends the stream', async () => {
  const sent = stream('abc', 'def', 'ghi')
  assert.equal(await readBoundedText(sent, 5), undefined)
  assert.equal(sent.destroyed, true)
})

test('readBoundedText waits once before the rest of a long text', async () => {
  const begun: number[] = []
  const begin = async () => {
    begun.push(begun.length)
  }
  const long = { bytes: 3, begin }
  assert.equal(await readBoundedText(stream('abc'), 9, long), 'abc')
  assert.deepEqual(begun, [])
  assert.equal(await readBoundedText(stream('abc', 'def', 'ghi'), 9, long), 'abcdefghi')
  assert.deepEqual(begun, [0])
})

test('readBoundedText rejects if the stream breaks off', async () => {
  const sent = stream('abc', 'def')
  sent.once('data', () => sent.destroy(new Error('broken')))
  await assert.rejects(readBoundedText(sent, 9), /broken/)
})
