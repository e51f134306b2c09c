// Decodes both directions of every recorded conversation, and compares them with the decoded twin. The bytes arrive as
// captured, in one chunk, byte by byte, and cut in two. An entry that the twin calls malformed must be refused or stay
// pending.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FluxError } from '#flux/errors.ts'
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from '#flux/wire/frame.ts'
import { decodeMessage, encodeMessage } from '#flux/wire/message.ts'
import { decodeJson, decodeText, isJsonObject } from '#flux/wire/payload.ts'
import {
  RECORDED_VERSIONS,
  type RecordedStream,
  recordedCases,
  recordedStreams,
  type TwinEntry,
} from '../support/recordings.ts'
import { someOf } from '../support/runs.ts'

/**
 * Where streams may be cut, of which runs.ts takes a share: those up to this size at every offset, the five longer ones at every
 * offset near the edge of a frame.
 */
const CUT_EVERYWHERE_BYTES = 8192
const NEAR_BYTES = 64

/** Recorded to show that brokers accept a short part in the long form. Our encoder writes the short form, like libflux. */
const NOT_CANONICAL = '/longform-short-part c2s'
const LONG_FORM_HEX = 'ff00000010'
const SHORT_FORM_HEX = '10'

interface Reading {
  readonly bodies: readonly Buffer[]
  readonly failed: boolean
  readonly pendingBytes: number
}

function readFrames(chunks: Iterable<Buffer>): Reading {
  const decoder = new FrameDecoder()
  const bodies: Buffer[] = []
  try {
    for (const chunk of chunks) for (const body of decoder.push(chunk)) bodies.push(body)
  } catch (error) {
    if (!(error instanceof FluxError)) throw error
    assert.equal(error.code, 'FLUX_PROTOCOL')
    return { bodies, failed: true, pendingBytes: 0 }
  }
  return { bodies, failed: false, pendingBytes: decoder.pendingBytes }
}

function* bytewise(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1) yield bytes.subarray(at, at + 1)
}

function assertSameReading(actual: Reading, expected: Reading, how: string): void {
  const same =
    actual.failed === expected.failed &&
    actual.pendingBytes === expected.pendingBytes &&
    actual.bodies.length === expected.bodies.length &&
    actual.bodies.every((body, index) => body.equals(expected.bodies[index] ?? body.subarray(1)))
  if (!same) assert.deepEqual(actual, expected, how)
}

function* cutOffsets({ bytes }: RecordedStream, { bodies }: Reading): Generator<number> {
  if (bytes.length <= CUT_EVERYWHERE_BYTES) {
    for (let offset = 1; offset < bytes.length; offset += 1) yield offset
    return
  }
  let edge = 0
  let next = 1
  for (const length of [...bodies.map((body) => body.length + 8), Number.POSITIVE_INFINITY]) {
    next = Math.max(next, edge - NEAR_BYTES)
    const last = Math.min(edge + NEAR_BYTES, bytes.length - 1)
    for (; next <= last; next += 1) yield next
    edge += length
  }
}

/** The fields of a message in the twin, to compare with {@link toFacts} of the decoded message. */
function expectedFacts(entry: TwinEntry) {
  const { type, flags, userid, rolemask, routes = [], topic } = entry
  const auxiliaries = {
    request: { nodeid: entry.nodeid, matchtag: entry.matchtag },
    response: { errnum: entry.errnum, matchtag: entry.matchtag },
    event: { sequence: entry.sequence },
    control: { controlType: entry.controlType, status: entry.controlStatus },
  }[type ?? '']
  const envelope = { type, flags, userid, rolemask, routes, topic, ...auxiliaries }
  return { ...envelope, payloadLength: entry.payloadLength, protoHex: entry.protoHex }
}

function toFacts(body: Buffer) {
  const { payload, ...fields } = decodeMessage(body)
  return {
    ...fields,
    payloadLength: payload?.length,
    protoHex: body.toString('hex', body.length - 20),
  }
}

function assertPayload(payload: Buffer | undefined, entry: TwinEntry, name: string): void {
  const object = entry.payloadNulTerminated === true && isJsonObject(entry.payload)
  if (payload === undefined || object) {
    assert.deepEqual(decodeJson(payload, entry.topic), entry.payload ?? {}, name)
    return
  }
  assert.throws(() => decodeJson(payload, entry.topic), { code: 'FLUX_PROTOCOL' }, name)
  const text = decodeText(payload)
  if (entry.payloadText !== undefined) assert.equal(text, entry.payloadText, name)
  else assert.deepEqual(JSON.parse(text ?? ''), entry.payload, name)
}

/** The messages before the first malformed entry, and this entry. */
function splitTwin(twin: readonly TwinEntry[]) {
  const isBroken = (entry: TwinEntry) =>
    entry.type === undefined || entry.frameMagicByteOrder !== 'LE'
  const end = twin.findIndex(isBroken)
  return end < 0
    ? { messages: twin, broken: undefined }
    : { messages: twin.slice(0, end), broken: twin[end] }
}

function announcedLength({ hex = '' }: TwinEntry): number {
  return Buffer.from(hex, 'hex').readUInt32BE(4)
}

function assertStream(stream: RecordedStream): void {
  const { name, bytes, twin, handshakeBytes } = stream
  const { messages, broken } = splitTwin(twin)
  const reading = readFrames([bytes])
  const bodies = reading.bodies.slice(0, messages.length)
  assert.equal(bodies.length, messages.length, name)
  let offset = handshakeBytes
  for (const [index, body] of bodies.entries()) {
    const entry = messages[index]
    assert.ok(entry)
    assert.deepEqual([offset, body.length], [entry.offset, entry.bodyLength], name)
    offset += body.length + 8
    assert.deepEqual(toFacts(body), expectedFacts(entry), name)
    assertPayload(decodeMessage(body).payload, entry, name)
  }
  const rest = reading.bodies.slice(messages.length)
  if (broken === undefined) {
    assert.deepEqual({ ...reading, bodies: rest }, { bodies: [], failed: false, pendingBytes: 0 })
  } else if (
    broken.incompleteTrailingBytes !== undefined &&
    announcedLength(broken) <= MAX_FRAME_BYTES
  ) {
    const pendingBytes = broken.incompleteTrailingBytes
    assert.deepEqual(
      { ...reading, bodies: rest },
      { bodies: [], failed: false, pendingBytes },
      name,
    )
  } else if (rest[0] !== undefined) {
    const [body] = rest
    assert.throws(() => decodeMessage(body), { code: 'FLUX_PROTOCOL' }, name)
  } else {
    assert.ok(reading.failed, name)
  }
}

function assertSameEncoding(stream: RecordedStream): void {
  const { messages } = splitTwin(stream.twin)
  const { bodies } = readFrames([stream.bytes])
  const frames = bodies
    .slice(0, messages.length)
    .map((body) => encodeFrame(encodeMessage(decodeMessage(body))))
  const encoded = Buffer.concat(frames)
  const recorded = stream.bytes.subarray(0, encoded.length)
  if (!stream.name.endsWith(NOT_CANONICAL)) {
    assert.deepEqual(encoded, recorded, stream.name)
    return
  }
  const [body] = bodies
  assert.equal(body?.length, 0x34)
  assert.equal(
    encoded.toString('hex'),
    `1200eeff00000030${body?.toString('hex').replace(LONG_FORM_HEX, SHORT_FORM_HEX)}`,
  )
}

test('there are 470 recordings of three releases', () => {
  assert.deepEqual(RECORDED_VERSIONS, ['0.51.0', '0.88.0', '0.88.0-fluxion'])
  assert.equal(RECORDED_VERSIONS.flatMap(recordedCases).length, 470)
})

for (const version of RECORDED_VERSIONS) {
  const streams = recordedStreams(version)

  test(`each recording of ${version} decodes to its twin, message by message`, () => {
    for (const stream of streams) assertStream(stream)
  })

  test(`each recording of ${version} encodes back to the same bytes`, () => {
    for (const stream of streams) assertSameEncoding(stream)
  })

  test(`each recording of ${version} has the same frames as captured and byte by byte`, () => {
    for (const stream of streams) {
      const expected = readFrames([stream.bytes])
      assertSameReading(readFrames(stream.chunks), expected, `${stream.name} as captured`)
      assertSameReading(readFrames(bytewise(stream.bytes)), expected, `${stream.name} byte by byte`)
    }
  })

  test(`each recording of ${version} has the same frames when it is cut in two`, () => {
    for (const stream of streams) {
      const expected = readFrames([stream.bytes])
      const offsets = [...cutOffsets(stream, expected)]
      for (const at of someOf(offsets.length)) {
        const offset = offsets[at - 1] ?? 0
        const halves = [stream.bytes.subarray(0, offset), stream.bytes.subarray(offset)]
        assertSameReading(readFrames(halves), expected, `${stream.name} cut at ${offset}`)
      }
    }
  })
}
