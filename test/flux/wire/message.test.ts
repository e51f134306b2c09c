// Messages: encoder and decoder, with malformed and random bytes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FluxError } from '#flux/errors.ts'
import { decodeMessage, encodeMessage, FLAG, type Message } from '#flux/wire/message.ts'
import { runs } from '../../support/runs.ts'

const PROTO = '148e010109ffffffff00000000ffffffff00000001'
const TOPIC = '08617474722e676574'

function decodeHex(hex: string): Message {
  return decodeMessage(Buffer.from(hex, 'hex'))
}

function assertRefused(hex: string, message: string): void {
  assert.throws(() => decodeHex(hex), { code: 'FLUX_PROTOCOL', message })
}

test('decodeMessage reads the example request of the protocol description', () => {
  assert.deepEqual(
    decodeHex(`00${TOPIC}107b226e616d65223a2273697a65227d00${PROTO.replace('010109', '01010b')}`),
    {
      type: 'request',
      flags: FLAG.topic | FLAG.payload | FLAG.route,
      userid: 0xffffffff,
      rolemask: 0,
      routes: [],
      topic: 'attr.get',
      payload: Buffer.from('{"name":"size"}\0'),
      nodeid: 0xffffffff,
      matchtag: 1,
    },
  )
})

test('decodeMessage reads the routes of an event', () => {
  const event = decodeHex(
    `0461626364026566000${TOPIC.slice(1)}148e0104090000000000000005000000e100000000`,
  )
  assert.deepEqual(event, {
    type: 'event',
    flags: FLAG.topic | FLAG.route,
    userid: 0,
    rolemask: 5,
    routes: ['abcd', 'ef'],
    topic: 'attr.get',
    payload: undefined,
    sequence: 225,
  })
})

test('decodeMessage reads a short part in the long form', () => {
  assert.equal(decodeHex(`00ff00000008617474722e676574${PROTO}`).topic, 'attr.get')
})

test('decodeMessage rejects an empty body', () => {
  assertRefused(
    '',
    'Cannot decode proto block: expected a last part of 20 bytes, got size undefined',
  )
})

test('decodeMessage rejects a proto block of 19 bytes', () => {
  const proto = `13${PROTO.slice(2, -2)}`
  assertRefused(
    proto,
    'Cannot decode proto block: expected a last part of 20 bytes, got size undefined',
  )
})

test('decodeMessage rejects a wrong magic of the proto block', () => {
  const message = 'Cannot decode proto block: expected 8e01, got 8f01'
  assertRefused(`00${TOPIC}${PROTO.replace('8e', '8f')}`, message)
})

test('decodeMessage rejects a wrong version of the proto block', () => {
  const message = 'Cannot decode proto block: expected 8e01, got 8e02'
  assertRefused(`00${TOPIC}${PROTO.replace('8e01', '8e02')}`, message)
})

test('decodeMessage rejects an unknown type', () => {
  const message = 'Cannot decode proto block: expected type 1, 2, 4 or 8, got 3'
  assertRefused(`00${TOPIC}${PROTO.replace('8e0101', '8e0103')}`, message)
})

test('decodeMessage rejects a part that is longer than the message', () => {
  assertRefused(`0009617474722e676574${PROTO}`, 'Cannot decode topic: expected 9 bytes, got 8')
})

test('decodeMessage rejects a long part whose size exceeds the message', () => {
  assertRefused(`00ffffffffff${PROTO}`, 'Cannot decode topic: expected 4294967295 bytes, got 0')
})

test('decodeMessage rejects a long size that is cut off', () => {
  assertRefused(`00ff0000${PROTO}`, 'Cannot decode topic: its size is cut off')
})

test('decodeMessage rejects routes without a delimiter', () => {
  const message = 'Cannot decode route delimiter: expected a part, got the proto block'
  assertRefused(`026162${PROTO}`, message)
})

test('decodeMessage rejects a flag without its part', () => {
  assertRefused(`00${PROTO}`, 'Cannot decode topic: expected a part, got the proto block')
})

test('decodeMessage rejects a part without its flag', () => {
  const message = 'Cannot decode message: 2 bytes before the proto block belong to no part'
  assertRefused(`00${TOPIC}0161${PROTO}`, message)
})

test('decodeMessage rejects more routes than an overlay network can have', () => {
  assertRefused(
    `${'0161'.repeat(257)}00${TOPIC}${PROTO}`,
    'Cannot decode routes: expected at most 256',
  )
})

test('encodeMessage writes parts of 254 bytes in the short form and parts of 255 bytes in the long form', () => {
  const sizes = [254, 255].map((length) => {
    const payload = Buffer.alloc(length)
    const message: Message = {
      type: 'control',
      flags: 0,
      userid: 0,
      rolemask: 0,
      routes: [],
      topic: undefined,
      payload,
      controlType: 1,
      status: 2,
    }
    return encodeMessage(message).toString('hex', 0, 5)
  })
  assert.deepEqual(sizes, ['fe00000000', 'ff000000ff'])
})

const u32 = fc.nat(0xffffffff)
const latin1 = (minLength: number) =>
  fc.uint8Array({ minLength, maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'))

/** Any message that can be encoded: routes are not empty, and only there with their flag. */
const arbitraryMessage = fc
  .record({
    otherFlags: fc.nat(0xff),
    userid: u32,
    rolemask: u32,
    hops: fc.array(latin1(1), { maxLength: 4 }),
    topic: fc.option(latin1(0), { nil: undefined }),
    payload: fc.option(
      fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes)),
      { nil: undefined },
    ),
    kind: fc.constantFrom('request', 'response', 'event', 'control'),
    aux1: u32,
    aux2: u32,
  })
  .map(({ otherFlags, hops, kind, aux1, aux2, ...fields }): Message => {
    const { topic, payload } = fields
    const parts =
      (topic === undefined ? 0 : FLAG.topic) | (payload === undefined ? 0 : FLAG.payload)
    const flags = (otherFlags & ~(FLAG.topic | FLAG.payload)) | parts
    const envelope = { ...fields, flags, routes: flags & FLAG.route ? hops : [] }
    if (kind === 'request') return { type: kind, ...envelope, nodeid: aux1, matchtag: aux2 }
    if (kind === 'response') return { type: kind, ...envelope, errnum: aux1, matchtag: aux2 }
    if (kind === 'event') return { type: kind, ...envelope, sequence: aux1 }
    return { type: 'control', ...envelope, controlType: aux1, status: aux2 }
  })

test('decodeMessage returns every message that encodeMessage accepts', () => {
  fc.assert(
    fc.property(arbitraryMessage, (message) => {
      assert.deepEqual(decodeMessage(encodeMessage(message)), message)
    }),
    { numRuns: runs(4_000) },
  )
})

test('decodeMessage throws nothing but FLUX_PROTOCOL on arbitrary bytes before a proto block', () => {
  const tail = fc.constantFrom('', PROTO, PROTO.replace('010109', '01020b'))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), tail, (bytes, proto) => {
      try {
        decodeMessage(Buffer.concat([bytes, Buffer.from(proto, 'hex')]))
      } catch (error) {
        assert.ok(error instanceof FluxError && error.code === 'FLUX_PROTOCOL')
      }
    }),
    { numRuns: runs(1000) },
  )
})

test('decodeMessage throws nothing but FLUX_PROTOCOL on a message with bytes changed', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 })
  fc.assert(
    fc.property(arbitraryMessage, changes, (message, bytes) => {
      const body = encodeMessage(message)
      for (const [at, byte] of bytes) body[at % body.length] = byte
      try {
        decodeMessage(body)
      } catch (error) {
        assert.ok(error instanceof FluxError && error.code === 'FLUX_PROTOCOL')
      }
    }),
    { numRuns: runs(4_000) },
  )
})
