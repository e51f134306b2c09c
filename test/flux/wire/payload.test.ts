// Payloads: JSON with integers of any size, and texts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FluxError } from '#flux/errors.ts'
import { decodeJson, decodeText, encodeJson, isJsonObject } from '#flux/wire/payload.ts'
import { runs } from '../../support/runs.ts'

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
      assert.deepEqual(decodeJson(encodeJson(object), ''), exactly(JSON.stringify(object)))
    }),
    { numRuns: runs(3_000) },
  )
})

test('decodeJson returns every 64-bit integer exactly', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (id) => {
      const { id: decoded } = decodeTextAsJson(`{"id":${id}}\0`)
      assert.ok(typeof decoded === 'bigint' || Number.isSafeInteger(decoded))
      assert.equal(`${decoded}`, `${id}`)
    }),
    { numRuns: runs(4_000) },
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
    { numRuns: runs(4_000) },
  )
})

/** Pieces of JSON that are hard to tell apart without reading all of it, put together in any order. */
const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"',
      '\\',
      '\\"',
      '":',
      '"id":',
      '\\":',
      ' ',
      '-',
    ),
    fc.constantFrom(
      '"a"',
      '"id"',
      '"a\\\\":',
      'e5',
      '.5',
      '0',
      '1',
      'null',
      '\t',
      '"1":',
      '"__proto__":',
    ),
    fc.bigInt({ min: 10n ** 15n, max: 2n ** 64n }).map(String),
  ),
  { maxLength: 12 },
)

/** JSON of any shape, in which texts and keys look like numbers and JSON, and with white space. */
const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'medium' },
    fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
    pieces.map((texts) => JSON.stringify(texts.join(''))),
    fc.array(tie('json'), { maxLength: 4 }).map((items) => `[${items.join(' , ')}]`),
    fc
      .array(fc.tuple(fc.oneof(pieces, fc.constantFrom(['id'], ['1'])), tie('json')), {
        maxLength: 4,
      })
      .map((entries) =>
        entries.map(
          ([key, value], index) =>
            `${JSON.stringify(key.join(''))}${' '.repeat(index % 2)}:${value}`,
        ),
      )
      .map((entries) => `{${entries.join(',')}}`),
  ),
}))

/** Strings and numbers of a JSON text. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** No text of these tests has it. */
const MARK = '\0'

/**
 * A parser that looks at each value. It is not a reviver of `JSON.parse`: with one, V8 gives the key of a nested object that is a
 * single escaped character, such as `"\n"`, as a backslash now and then.
 */
function exactly(text: string): unknown {
  try {
    JSON.parse(text)
  } catch {
    return 'no JSON'
  }
  const isUnsafe = (token: string) => /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token))
  return restored(
    JSON.parse(
      text.replace(TOKEN, (token) => (isUnsafe(token) ? JSON.stringify(MARK + token) : token)),
    ),
  )
}

function restored(value: unknown): unknown {
  if (typeof value === 'string' && value.startsWith(MARK)) return BigInt(value.slice(MARK.length))
  if (Array.isArray(value)) return value.map(restored)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, restored(part)]))
}

function decoded(text: string): unknown {
  try {
    return decodeTextAsJson(`${text}\0`)
  } catch (error) {
    assert.ok(error instanceof FluxError)
    return 'no JSON'
  }
}

test('decodeJson decodes every JSON text as a parser that looks at each value', () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = `{"jobs":${value}}`
      assert.deepEqual(decoded(text), exactly(text))
    }),
    { numRuns: runs(5_000) },
  )
})

test('decodeJson refuses what is no JSON, also around integers beyond 2^53', () => {
  let refused = 0
  fc.assert(
    fc.property(pieces, (texts) => {
      const text = `{"id":9007199254740993,"jobs":${texts.join('')}}`
      const expected = exactly(text)
      if (expected === 'no JSON') refused += 1
      assert.deepEqual(decoded(text), expected)
    }),
    { numRuns: runs(20_000) },
  )
  assert.ok(refused > runs(1_000))
})

test('decodeJson decodes texts full of digits and quotes once, not once for each of them', () => {
  const digits = ' 9007199254740993'.repeat(50_000)
  const text = `{"note":"${digits}","list":[${digits.trim().replaceAll(' ', ', ')}],"\\\\\\":":${'9'.repeat(18)}}`
  const { note, list } = decodeTextAsJson(`${text}\0`)
  assert.equal(note, digits)
  assert.ok(Array.isArray(list))
  assert.deepEqual(new Set(list), new Set([9007199254740993n]))
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
