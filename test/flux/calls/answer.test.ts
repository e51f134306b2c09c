// Keys of answers: values of the expected type, and the errors for other values.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  arrayAt,
  booleanAt,
  countAt,
  idsetAt,
  numberAt,
  partAt,
  show,
  stringAt,
  unexpected,
} from '#flux/calls/answer.ts'
import { FluxError } from '#flux/errors.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { runs } from '../../support/runs.ts'

type Reader = (answer: JsonObject, key: string, topic: string) => unknown

/** For each reader: the values that it accepts, with the result, and the values that it refuses. */
const READERS: readonly {
  readonly read: Reader
  readonly wanted: string
  readonly accepted: readonly (readonly [value: unknown, read?: unknown])[]
  readonly refused: readonly unknown[]
}[] = [
  {
    read: stringAt,
    wanted: 'a string',
    accepted: [[''], ['batch']],
    refused: [undefined, null, 1, ['a'], {}, true],
  },
  {
    read: countAt,
    wanted: 'a count',
    accepted: [[0], [2 ** 53 - 1]],
    refused: [undefined, null, -1, 1.5, '1', true, 2 ** 53, 2n ** 60n, Number.NaN],
  },
  {
    read: numberAt,
    wanted: 'a number',
    accepted: [[0], [-1.5], [1795458205.6498232], [2n ** 53n, 2 ** 53]],
    refused: [undefined, null, '1', Number.POSITIVE_INFINITY, Number.NaN, [1]],
  },
  {
    read: booleanAt,
    wanted: 'a boolean',
    accepted: [[true], [false]],
    refused: [undefined, null, 0, 'true'],
  },
  {
    read: arrayAt,
    wanted: 'an array',
    accepted: [[[]], [[1, 'a']]],
    refused: [undefined, null, { length: 0 }, 'abc'],
  },
  {
    read: idsetAt,
    wanted: 'a string',
    accepted: [
      ['', { ranges: [] }],
      [
        '0-3,5',
        {
          ranges: [
            { first: 0, last: 3 },
            { first: 5, last: 5 },
          ],
        },
      ],
    ],
    refused: [undefined, null, 3, ['0-3']],
  },
]

for (const { read, wanted, accepted, refused } of READERS) {
  test(`${read.name} accepts ${wanted}`, () => {
    for (const [value, result = value] of accepted) {
      assert.deepEqual(read({ other: null, key: value }, 'key', 'a.topic'), result)
    }
  })

  test(`${read.name} names the expected type, the key and the actual value`, () => {
    for (const value of refused) {
      assert.throws(() => read({ key: value }, 'key', 'a.topic'), {
        name: 'FluxError',
        code: 'FLUX_PROTOCOL',
        topic: 'a.topic',
        message: `Cannot read the answer to "a.topic": expected ${wanted} at "key", got ${show(value)}`,
      })
    }
  })

  test(`${read.name} reads any value, or refuses it with FLUX_PROTOCOL`, () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.bigInt()), (value) => {
        try {
          read({ key: value }, 'key', 'a.topic')
        } catch (error) {
          if (!(error instanceof FluxError)) throw error
          assert.equal(error.code, 'FLUX_PROTOCOL')
        }
      }),
    )
  })
}

test('idsetAt reports the error of a malformed idset, with its topic and key', () => {
  assert.throws(() => idsetAt({ offline: '3-1' }, 'offline', 'resource.status'), {
    code: 'FLUX_PROTOCOL',
    topic: 'resource.status',
    message:
      'Cannot read the answer to "resource.status" at "offline": Cannot parse idset "3-1": expected an id of at least 4 at position 2',
  })
})

test('partAt adds topic and key to a FluxError, and passes other errors on unchanged', () => {
  const where = { topic: 'a.topic', key: 'part' }
  assert.equal(
    partAt(where, () => 7),
    7,
  )
  const cause = new FluxError('FLUX_PROTOCOL', 'Cannot read it')
  assert.throws(
    () =>
      partAt(where, () => {
        throw cause
      }),
    {
      code: 'FLUX_PROTOCOL',
      topic: 'a.topic',
      cause,
      message: 'Cannot read the answer to "a.topic" at "part": Cannot read it',
    },
  )
  const defect = new TypeError('ours')
  const fail = () =>
    partAt(where, () => {
      throw defect
    })
  assert.throws(fail, (error) => error === defect)
})

test('show writes the beginning of any part of an answer', () => {
  assert.equal(show(undefined), 'undefined')
  assert.equal(show({ id: 2n ** 60n, none: null }), '{"id":"1152921504606846976","none":null}')
  assert.equal(show('x'.repeat(200)), `"${'x'.repeat(79)}`)
})

test('unexpected names the topic, the key, the expected type and the actual value', () => {
  const { code, topic, message } = unexpected('job-list.list', 'jobs[]', 'an object', [1])
  assert.deepEqual([code, topic], ['FLUX_PROTOCOL', 'job-list.list'])
  assert.equal(
    message,
    'Cannot read the answer to "job-list.list": expected an object at "jobs[]", got [1]',
  )
})

test('show begins a large value without writing all of it', () => {
  let written = 0
  const part = { toJSON: () => ++written }
  assert.equal(show(Array.from({ length: 100_000 }, () => part)).length, 80)
  assert.equal(
    show(Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [at, part]))).length,
    80,
  )
  assert.ok(written < 1_000, `${written} parts are written`)
  assert.equal(show('x'.repeat(1_000_000)).length, 80)
})

test('show writes what JSON.stringify writes, up to 80 characters', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(show(value), JSON.stringify(value).slice(0, 80))
    }),
    { numRuns: runs(2_000) },
  )
})
