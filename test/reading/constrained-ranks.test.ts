// The ranks that constraints accept, by hand and against a plain evaluation rank by rank.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseConstraint } from '#flux/calls/constraint.ts'
import { formatIdset, hasId, parseIdset } from '#flux/sets/idset.ts'
import { acceptedRanks, type RankAttributes } from '#reading/constrained-ranks.ts'

/** Eight ranks: 4-7 have GPUs, 2 and 6 are slow, and ranks 0 and 1 share host a. */
const ATTRIBUTES: RankAttributes = {
  all: parseIdset('0-7'),
  properties: new Map([
    ['gpu', parseIdset('4-7')],
    ['slow', parseIdset('2,6')],
    // Ranks that are not in R any more.
    ['old', parseIdset('7-9')],
  ]),
  hosts: () =>
    new Map([
      ['a', [0, 1]],
      ['b', [2]],
      ['c', [3]],
    ]),
}

const EXAMPLES: readonly (readonly [constraint: object, ranks: string])[] = [
  [{}, '0-7'],
  [{ properties: [] }, '0-7'],
  [{ properties: ['gpu'] }, '4-7'],
  [{ properties: ['gpu', '^slow'] }, '4-5,7'],
  [{ properties: ['^gpu'] }, '0-3'],
  [{ properties: ['fast'] }, ''],
  [{ properties: ['^fast'] }, '0-7'],
  [{ properties: ['old'] }, '7'],
  [{ hostlist: ['a,c'] }, '0-1,3'],
  [{ hostlist: ['z'] }, ''],
  [{ not: [{ hostlist: ['b'] }] }, '0-1,3-7'],
  [{ ranks: ['0-3', '7'] }, '0-3,7'],
  [{ ranks: ['6-12'] }, '6-7'],
  [{ or: [{ ranks: ['1'] }, { properties: ['slow'] }] }, '1-2,6'],
  [{ and: [{ ranks: ['0-5'] }, { properties: ['gpu'] }] }, '4-5'],
  [{ not: [{ properties: ['gpu'] }, { properties: ['slow'] }] }, '0-5,7'],
  [{ or: [] }, '0-7'],
  [{ and: [] }, '0-7'],
  [{ not: [] }, ''],
]

for (const [constraint, ranks] of EXAMPLES) {
  test(`${JSON.stringify(constraint)} accepts ${ranks === '' ? 'no rank' : `ranks ${ranks}`}`, () => {
    assert.equal(formatIdset(acceptedRanks(parseConstraint(constraint), ATTRIBUTES)), ranks)
  })
}

const { tree } = fc.letrec<{ tree: object }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.record({
      properties: fc.array(fc.constantFrom('gpu', '^gpu', 'slow', '^slow', 'old', 'none')),
    }),
    fc.record({ ranks: fc.array(fc.constantFrom('0', '1-3', '5,7', '9')) }),
    fc.record({ hostlist: fc.array(fc.constantFrom('a', 'b', 'z')) }),
    ...(['and', 'or', 'not'] as const).map((operator) =>
      fc.array(tie('tree'), { maxLength: 3 }).map((of) => ({ [operator]: of })),
    ),
  ),
}))

/** The words of RFC 31, for one rank. */
function accepts(constraint: object, rank: number): boolean {
  const [[operator, values] = ['and', []]] = Object.entries(constraint)
  const has = (name: string) => hasId(ATTRIBUTES.properties.get(name) ?? parseIdset(''), rank)
  const each = (value: never) => accepts(value, rank)
  switch (operator) {
    case 'properties':
      return values.every((name: string) => (name[0] === '^' ? !has(name.slice(1)) : has(name)))
    case 'ranks':
      return values.some((ids: string) => hasId(parseIdset(ids), rank))
    case 'hostlist':
      return values.some((host: string) => ATTRIBUTES.hosts().get(host)?.includes(rank))
    case 'or':
      return values.length === 0 || values.some(each)
    case 'not':
      return !values.every(each)
    default:
      return values.every(each)
  }
}

test('acceptedRanks is what RFC 31 says of each rank', () => {
  fc.assert(
    fc.property(tree, (constraint) => {
      const ranks = acceptedRanks(parseConstraint(constraint), ATTRIBUTES)
      for (let rank = 0; rank < 12; rank += 1) {
        assert.equal(hasId(ranks, rank), rank < 8 && accepts(constraint, rank), `rank ${rank}`)
      }
    }),
    { numRuns: 2000 },
  )
})
