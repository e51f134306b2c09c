// Idsets: RFC 22, comparison with Set<number>, and hostile texts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FluxError } from '#flux/errors.ts'
import {
  countIds,
  EMPTY_IDSET,
  formatIdset,
  hasId,
  highestId,
  type Idset,
  intersectIdsets,
  isEmpty,
  joinRanges,
  parseIdset,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { arbitraryIds, idsToText } from '../../support/arbitraries.ts'
import { runs } from '../../support/runs.ts'

/** Texts and their ranges. The examples of RFC 22 are first. */
const ACCEPTED: readonly (readonly [text: string, ...ranges: (readonly [number, number])[]])[] = [
  ['1,2,3,5,6,42', [1, 3], [5, 6], [42, 42]],
  ['1-3,5-6,42', [1, 3], [5, 6], [42, 42]],
  ['[1-3,5-6,42]', [1, 3], [5, 6], [42, 42]],
  [''],
  ['[]'],
  ['0', [0, 0]],
  ['[0-1]', [0, 1]],
  ['0-3,5', [0, 3], [5, 5]],
  ['0-3,4-5', [0, 5]],
  ['4294967295', [4294967295, 4294967295]],
  ['[0-4294967295]', [0, 4294967295]],
]

for (const [text, ...ranges] of ACCEPTED) {
  test(`parseIdset reads "${text}"`, () => {
    assert.deepEqual(parseIdset(text), { ranges: ranges.map(([first, last]) => ({ first, last })) })
  })
}

const REFUSED: readonly (readonly [text: string, complaint: string])[] = [
  ['1-', 'expected a digit at position 2'],
  ['-1', 'expected a digit at position 0'],
  ['1,', 'expected a digit at position 2'],
  [',1', 'expected a digit at position 0'],
  ['1,,2', 'expected a digit at position 2'],
  ['1--2', 'expected a digit at position 2'],
  ['1-2-3', 'expected "," or the end at position 3'],
  [' 1', 'expected a digit at position 0'],
  ['1 ', 'expected "," or the end at position 1'],
  ['1, 2', 'expected a digit at position 2'],
  ['+1', 'expected a digit at position 0'],
  ['1.5', 'expected "," or the end at position 1'],
  ['1e3', 'expected "," or the end at position 1'],
  ['0x10', 'expected "," or the end at position 1'],
  ['٣', 'expected a digit at position 0'],
  ['00', 'expected an id without leading zeros at position 0'],
  ['1-02', 'expected an id without leading zeros at position 2'],
  ['5,3', 'expected an id of at least 6 at position 2'],
  ['1,1', 'expected an id of at least 2 at position 2'],
  ['0-3,3', 'expected an id of at least 4 at position 4'],
  ['9-7', 'expected an id of at least 10 at position 2'],
  ['5-5', 'expected an id of at least 6 at position 2'],
  ['4294967296', 'expected an id of at most 4294967295 at position 0'],
  ['0-99999999999999999999', 'expected an id of at most 4294967295 at position 2'],
  ['[', 'expected a digit at position 1'],
  ['[1', 'expected "," or "]" at position 2'],
  ['1]', 'expected "," or the end at position 1'],
  [']', 'expected a digit at position 0'],
  ['[1]]', 'expected "," or the end at position 3'],
  ['[[1]]', 'expected a digit at position 1'],
  ['[1],2', 'expected "," or the end at position 3'],
]

for (const [text, complaint] of REFUSED) {
  test(`parseIdset refuses "${text}"`, () => {
    assert.throws(() => parseIdset(text), {
      name: 'FluxError',
      code: 'FLUX_PROTOCOL',
      message: `Cannot parse idset "${text}": ${complaint}`,
    })
  })
}

test('an error of parseIdset shows only the beginning of a long text, and no control characters', () => {
  assert.throws(() => parseIdset(`\n${'1,'.repeat(100)}`), {
    message: `Cannot parse idset "\\n${'1,'.repeat(19)}1…": expected a digit at position 0`,
  })
})

test('parseIdset refuses a text of more than 4 MiB without reading it', () => {
  assert.throws(() => parseIdset('x'.repeat(2 ** 22 + 1)), /expected the end at position 4194304$/)
})

test('an idset of all ids is one range', () => {
  const all = parseIdset('[0-4294967295]')
  assert.equal(countIds(all), 2 ** 32)
  assert.equal(highestId(all), 2 ** 32 - 1)
  assert.equal(formatIdset(subtractIdsets(all, parseIdset('7'))), '0-6,8-4294967295')
})

test('the empty idset has no ids', () => {
  assert.equal(parseIdset(''), EMPTY_IDSET)
  assert.equal(isEmpty(EMPTY_IDSET), true)
  assert.equal(countIds(EMPTY_IDSET), 0)
  assert.equal(highestId(EMPTY_IDSET), undefined)
  assert.equal(hasId(EMPTY_IDSET, 0), false)
  assert.equal(formatIdset(EMPTY_IDSET), '')
})

test('joinRanges joins ranges that touch', () => {
  const ranges = [
    { first: 0, last: 1 },
    { first: 2, last: 2 },
    { first: 4, last: 5 },
  ]
  assert.equal(formatIdset(joinRanges(ranges)), '0-2,4-5')
})

test('an idset has the ids, the count and the highest id of its text, and is written as this text', () => {
  fc.assert(
    fc.property(arbitraryIds, (ids) => {
      const set = parseIdset(idsToText(ids))
      assert.equal(formatIdset(set), idsToText(ids))
      assert.deepEqual(expand(set), ids)
      assert.equal(countIds(set), ids.size)
      assert.equal(highestId(set), ids.size === 0 ? undefined : Math.max(...ids))
      for (let id = -1; id <= 42; id += 1) assert.equal(hasId(set, id), ids.has(id))
    }),
  )
})

test('a list of single ids means the same as ranges and brackets', () => {
  fc.assert(
    fc.property(arbitraryIds, (ids) => {
      const singles = [...ids].sort((a, b) => a - b).join(',')
      assert.deepEqual(parseIdset(`[${singles}]`), parseIdset(idsToText(ids)))
    }),
  )
})

test('union, difference and intersection are the same as for Set', () => {
  fc.assert(
    fc.property(arbitraryIds, arbitraryIds, (a, b) => {
      const [left, right] = [parseIdset(idsToText(a)), parseIdset(idsToText(b))]
      assert.equal(formatIdset(unionIdsets(left, right)), idsToText(a.union(b)))
      assert.equal(formatIdset(subtractIdsets(left, right)), idsToText(a.difference(b)))
      assert.equal(formatIdset(intersectIdsets(left, right)), idsToText(a.intersection(b)))
    }),
  )
})

test('parseIdset reads any text to a canonical idset, or refuses it with FLUX_PROTOCOL', () => {
  const nearly = fc.string({ unit: fc.constantFrom('0', '1', '9', ',', '-', '[', ']', ' ') })
  fc.assert(
    fc.property(fc.oneof(nearly, fc.string({ unit: 'binary' })), (text) => {
      const set = parsed(text)
      if (set !== undefined) assert.deepEqual(parseIdset(formatIdset(set)), set)
    }),
    { numRuns: runs(4_000) },
  )
})

function parsed(text: string): Idset | undefined {
  try {
    return parseIdset(text)
  } catch (error) {
    assert.ok(error instanceof FluxError)
    assert.equal(error.code, 'FLUX_PROTOCOL')
    return undefined
  }
}

function expand({ ranges }: Idset): Set<number> {
  return new Set(
    ranges.flatMap(({ first, last }) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    ),
  )
}
