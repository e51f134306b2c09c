// Frames: the encoder, and the decoder for any split of the bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FluxError } from '#flux/errors.ts'
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from '#flux/wire/frame.ts'
import { runs } from '../../support/runs.ts'

const BODY = Buffer.from('148e010100ffffffff000000000000000000000001'.padEnd(42, '0'), 'hex')

function header(length: number, magic = 0x1200eeff): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32BE(magic, 0)
  bytes.writeUInt32BE(length, 4)
  return bytes
}

function decodeAll(...chunks: readonly Buffer[]): Buffer[] {
  const decoder = new FrameDecoder()
  return chunks.flatMap((chunk) => [...decoder.push(chunk)])
}

test('encodeFrame writes the magic and the length of the body without the header', () => {
  assert.deepEqual(encodeFrame(BODY), Buffer.concat([Buffer.from('1200eeff00000015', 'hex'), BODY]))
})

test('encodeFrame refuses an empty body, which would kill the broker', () => {
  assert.throws(() => encodeFrame(Buffer.alloc(0)), {
    code: 'FLUX_PROTOCOL',
    message: 'Cannot encode frame: expected a length from 21 to 268435456 bytes, got 0',
  })
})

test('FrameDecoder yields two bodies from one chunk', () => {
  const frame = encodeFrame(BODY)
  assert.deepEqual(decodeAll(Buffer.concat([frame, frame])), [BODY, BODY])
})

test('FrameDecoder accepts empty chunks anywhere', () => {
  const frame = encodeFrame(BODY)
  const empty = Buffer.alloc(0)
  const chunks = [empty, frame.subarray(0, 5), empty, frame.subarray(5, 8), empty, BODY, empty]
  assert.deepEqual(decodeAll(...chunks), [BODY])
})

test('FrameDecoder counts the bytes of an incomplete frame', () => {
  const decoder = new FrameDecoder()
  const frame = encodeFrame(BODY)
  const pending = [0, 3, 5, 10, frame.length - 18].map((length, index, lengths) => {
    const from = lengths.slice(0, index).reduce((sum, each) => sum + each, 0)
    for (const _ of decoder.push(frame.subarray(from, from + length)));
    return decoder.pendingBytes
  })
  assert.deepEqual(pending, [0, 3, 8, 18, 0])
})

test('FrameDecoder refuses the magic in the order in which RFC 3 prints it', () => {
  assert.throws(() => decodeAll(header(BODY.length, 0xffee0012)), {
    code: 'FLUX_PROTOCOL',
    message: 'Cannot decode frame: expected magic 1200eeff, got ffee0012',
  })
})

test('FrameDecoder refuses a length of 0', () => {
  assert.throws(() => decodeAll(header(0)), {
    code: 'FLUX_PROTOCOL',
    message: 'Cannot decode frame: expected a length from 21 to 268435456 bytes, got 0',
  })
})

test('FrameDecoder refuses a length below that of the shortest message', () => {
  assert.throws(() => decodeAll(header(20)), { code: 'FLUX_PROTOCOL' })
})

for (const length of [MAX_FRAME_BYTES + 1, 0xfffffff8, 0xffffffff]) {
  test(`FrameDecoder refuses a length of ${length} when it has only the header`, () => {
    assert.throws(() => decodeAll(header(length)), { code: 'FLUX_PROTOCOL' })
  })
}

test('FrameDecoder accepts the header of the largest frame', () => {
  assert.deepEqual(decodeAll(header(MAX_FRAME_BYTES)), [])
})

test('FrameDecoder yields the same bodies for every chunking', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 21, maxLength: 300 }), { maxLength: 6 })
  const cuts = fc.array(fc.nat(2000), { maxLength: 40 })
  fc.assert(
    fc.property(bodies, cuts, (arrays, offsets) => {
      const expected = arrays.map((array) => Buffer.from(array))
      const bytes = Buffer.concat(expected.map(encodeFrame))
      const edges = [0, ...offsets.sort((a, b) => a - b), bytes.length]
      const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
      assert.deepEqual(decodeAll(...chunks), expected)
    }),
    { numRuns: runs(3_000) },
  )
})

test('FrameDecoder keeps only the end of a body that is too large, for every chunking', () => {
  const bodies = fc.array(fc.uint8Array({ minLength: 21, maxLength: 300 }), { maxLength: 6 })
  const cuts = fc.array(fc.nat(2000), { maxLength: 40 })
  fc.assert(
    fc.property(bodies, cuts, (arrays, offsets) => {
      const shorten = (end: Buffer) => Buffer.concat([Buffer.from('end'), end])
      const decoder = new FrameDecoder({ maxBytes: 100, shorten })
      const given = arrays.map((array) => Buffer.from(array))
      const bytes = Buffer.concat(given.map(encodeFrame))
      const edges = [0, ...offsets.sort((a, b) => a - b), bytes.length]
      const decoded = edges
        .slice(1)
        .flatMap((edge, index) => [...decoder.push(bytes.subarray(edges[index], edge))])
      const expected = given.map((body) =>
        body.length > 100 ? shorten(body.subarray(body.length - 21)) : body,
      )
      assert.deepEqual(decoded, expected)
    }),
    { numRuns: runs(4_000) },
  )
})

test('FrameDecoder does not hold a body that is too large while it comes', () => {
  const decoder = new FrameDecoder({ maxBytes: 100, shorten: (end) => end })
  const chunk = Buffer.alloc(2 ** 16)
  for (const _ of decoder.push(header(200 * 2 ** 20)));
  for (let count = 0; count < 100; count += 1) {
    for (const _ of decoder.push(chunk));
    assert.ok(decoder.pendingBytes < 100, `${decoder.pendingBytes} bytes`)
  }
})

test('FrameDecoder throws nothing but FLUX_PROTOCOL on arbitrary bytes', () => {
  const start = fc.constantFrom('', '1200eeff', '1200eeff000000')
  fc.assert(
    fc.property(start, fc.array(fc.uint8Array({ maxLength: 80 })), (hex, arrays) => {
      try {
        decodeAll(Buffer.from(hex, 'hex'), ...arrays.map((array) => Buffer.from(array)))
      } catch (error) {
        assert.ok(error instanceof FluxError && error.code === 'FLUX_PROTOCOL')
      }
    }),
    { numRuns: runs(4_000) },
  )
})
