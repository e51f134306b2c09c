// Payloads: JSON with integers of any size, and texts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FluxError } from '#flux/errors.ts'
import { decodeJson, decodeText, encodeJson, isJsonObject } from '#flux/wire/payload.ts'
import { exactIntegers } from '../../support/recordings.ts'

const NESTED = 100_000

function decodeTextAsJson(text: string) {
  return decodeJson(Buffer.from(text), 'job-list.list')
}

function assertRefused(text: string, why: string): void {
  assert.throws(() => decodeTextAsJson(text), {
    code: 'FLUX_PROTOCOL',
    topic: 'job-list.list',
    message: `Cannot decode payload of "job-list.list": ${why}`,
  })
}

test('encodeJson ends the text with one NUL', () => {
  assert.deepEqual(encodeJson({ name: 'größe' }), Buffer.from('{"name":"größe"}\0'))
})

test('encodeJson writes a bigint with all its digits: job ids exceed 2^53', () => {
  const id = 18_446_744_073_709_551_615n
  assert.deepEqual(encodeJson({ ids: [id] }), Buffer.from('{"ids":[18446744073709551615]}\0'))
})

test('decodeJson returns an empty object for no payload', () => {
  assert.deepEqual(decodeJson(undefined, 'event.subscribe'), {})
})

test('decodeJson rejects a payload without NUL', () => {
  assertRefused('{"a":1}', 'expected a NUL at the end')
})

test('decodeJson rejects a payload of no bytes', () => {
  assertRefused('', 'expected a NUL at the end')
})

test('decodeJson rejects a second NUL', () => {
  assertRefused('{}\0\0', 'expected JSON')
})

for (const text of ['[1]', 'null', '"text"', '1']) {
  test(`decodeJson rejects ${text}, which is not an object`, () => {
    assertRefused(`${text}\0`, 'expected a JSON object')
  })
}

test('decodeJson rejects a payload that is not JSON, with the cause', () => {
  assert.throws(
    () => decodeTextAsJson('{"a":\0'),
    (error) => error instanceof FluxError && error.cause instanceof SyntaxError,
  )
})

test('decodeJson keeps integers beyond 2^53 as bigint, at any depth and of either sign', () => {
  const text =
    '{"id":9007199254740993,"jobs":[{"id":-9223372036854775808}],"max":18446744073709551615}\0'
  assert.deepEqual(decodeTextAsJson(text), {
    id: 9007199254740993n,
    jobs: [{ id: -9223372036854775808n }],
    max: 18446744073709551615n,
  })
})

test('decodeJson keeps safe integers as numbers, also beside a bigint', () => {
  const text = '{"id":9007199254740991,"big":9007199254740992,"t":1795458342.1953115,"far":1e300}\0'
  assert.deepEqual(decodeTextAsJson(text), {
    id: 9007199254740991,
    big: 9007199254740992n,
    t: 1795458342.1953115,
    far: 1e300,
  })
})

test('decodeJson does not change digits within a string', () => {
  assert.deepEqual(decodeTextAsJson('{"id":"90071992547409930000"}\0'), {
    id: '90071992547409930000',
  })
})

test('decodeJson finds a long integer at every position of the text', () => {
  for (let pad = 0; pad < 40; pad += 1) {
    const answer = decodeTextAsJson(`{"${'x'.repeat(pad)}":9007199254740993}\0`)
    assert.deepEqual(Object.values(answer), [9007199254740993n])
  }
})

test('decodeJson treats "__proto__" like any other key', () => {
  const answer = decodeTextAsJson('{"__proto__":{"polluted":9007199254740993}}\0')
  assert.deepEqual(Object.keys(answer), ['__proto__'])
  assert.equal('polluted' in answer, false)
})

test(`decodeJson rejects ${NESTED} nested arrays`, () => {
  assertRefused(`${'['.repeat(NESTED)}${']'.repeat(NESTED)}\0`, 'expected a JSON object')
})

test(`decodeJson rejects ${NESTED} nested arrays around an integer beyond 2^53`, () => {
  const text = `{"a":${'['.repeat(NESTED)}9007199254740993${']'.repeat(NESTED)}}\0`
  assertRefused(text, 'expected JSON')
})

test(`decodeJson survives ${NESTED} nested arrays in an object`, () => {
  const { a } = decodeTextAsJson(`{"a":${'['.repeat(NESTED)}${']'.repeat(NESTED)}}\0`)
  assert.ok(Array.isArray(a))
})

test('decodeJson returns every object that encodeJson accepts', () => {
  const keys = fc.string().filter((key) => key !== '__proto__')
  fc.assert(
    fc.property(fc.dictionary(keys, fc.jsonValue({ maxDepth: 3 })), (object) => {
      const expected: unknown = JSON.parse(JSON.stringify(object), exactIntegers)
      assert.deepEqual(decodeJson(encodeJson(object), ''), expected)
    }),
    { numRuns: 300 },
  )
})

test('decodeJson returns every 64-bit integer exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (id) => {
      const { id: decoded } = decodeTextAsJson(`{"id":${id}}\0`)
      assert.ok(typeof decoded === 'bigint' || Number.isSafeInteger(decoded))
      assert.equal(`${decoded}`, `${id}`)
    }),
    { numRuns: 500 },
  )
})

test('decodeJson throws nothing but FLUX_PROTOCOL on arbitrary bytes', () => {
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), fc.string().map(Buffer.from)), (bytes) => {
      try {
        decodeJson(Buffer.concat([bytes, Buffer.from([0])]), 'a.b')
      } catch (error) {
        assert.ok(error instanceof FluxError && error.code === 'FLUX_PROTOCOL')
      }
    }),
    { numRuns: 500 },
  )
})

test('decodeText reads a text with and without NUL', () => {
  assert.equal(decodeText(Buffer.from('No such job\0')), 'No such job')
  assert.equal(decodeText(Buffer.from('No such job')), 'No such job')
})

test('decodeText is undefined for no payload and for an empty one', () => {
  assert.equal(decodeText(undefined), undefined)
  assert.equal(decodeText(Buffer.alloc(0)), undefined)
})

test('isJsonObject is true for objects, and false for arrays, null and scalars', () => {
  assert.deepEqual([{}, [], null, 1, 'a', undefined].map(isJsonObject), [
    true,
    false,
    false,
    false,
    false,
    false,
  ])
})
