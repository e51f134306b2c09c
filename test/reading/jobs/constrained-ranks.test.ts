// The ranks that constraints accept, by hand and against a plain evaluation rank by rank.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseConstraint } from '#flux/calls/constraint.ts'
import { formatIdset, hasId, parseIdset } from '#flux/sets/idset.ts'
import {
  AcceptedRanks,
  acceptedRanks,
  type RankAttributes,
} from '#reading/jobs/constrained-ranks.ts'
import { isUnknown } from '#reading/unknown.ts'
import { runs } from '../../support/runs.ts'

/** Eight ranks: 4-7 have GPUs, 2 and 6 are slow, and ranks 0 and 1 share host a. */
const ATTRIBUTES: RankAttributes = {
  all: parseIdset('0-7'),
  properties: new Map([
    ['gpu', parseIdset('4-7')],
    ['slow', parseIdset('2,6')],
    // Ranks that are not in R any more.
    ['old', parseIdset('7-9')],
  ]),
  hostlists: [],
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
    { numRuns: runs(2000) },
  )
})

/** 10,000 ranks of which every other has the property "odd". */
const FRAGMENTED: RankAttributes = {
  all: parseIdset('0-9999'),
  properties: new Map([
    ['odd', parseIdset(Array.from({ length: 5_000 }, (_, index) => 2 * index + 1).join())],
  ]),
  hostlists: [],
  hosts: () => new Map(),
}

function properties(...names: string[]) {
  return parseConstraint({ properties: names })
}

test('AcceptedRanks works out a constraint once while R stays the same, and again when it changes', () => {
  const accepted = new AcceptedRanks()
  const constraint = properties('gpu')
  accepted.restart(ATTRIBUTES)
  const ranks = accepted.find(constraint)
  accepted.restart({ ...ATTRIBUTES, properties: new Map(ATTRIBUTES.properties) })
  assert.equal(accepted.find(constraint), ranks)
  for (const changed of [
    { ...ATTRIBUTES, properties: new Map([['gpu', parseIdset('1')]]) },
    { ...ATTRIBUTES, properties: new Map([...ATTRIBUTES.properties, ['gpu', parseIdset('1')]]) },
  ]) {
    accepted.restart(changed)
    assert.deepEqual(accepted.find(constraint), parseIdset('1'))
  }
  const host = parseConstraint({ hostlist: ['a'] })
  assert.deepEqual(accepted.find(host), parseIdset('0-1'))
  accepted.restart({ ...ATTRIBUTES, hostlists: ['b'], hosts: () => new Map([['a', [3]]]) })
  assert.deepEqual(accepted.find(host), parseIdset('3'))
})

test('AcceptedRanks reads constraints as sched-simple of 0.84 and later does, and as RFC 31 has them for others', () => {
  const accepted = new AcceptedRanks()
  const constraints = [
    { not: [{ ranks: ['0-3'] }, { properties: ['slow'] }] },
    { or: [] },
    { not: [{ and: [{ ranks: ['0-3'] }, { properties: ['slow'] }] }] },
  ].map(parseConstraint)
  for (const [isSimple, ...expected] of [
    [false, '0-1,3-7', '0-7', '0-1,3-7'],
    [true, '4-7', '', '0-1,3-7'],
    [false, '0-1,3-7', '0-7', '0-1,3-7'],
  ] as const) {
    accepted.restart(ATTRIBUTES, { isSimple })
    for (const [index, constraint] of constraints.entries()) {
      const ranks = accepted.find(constraint)
      assert.ok(!isUnknown(ranks))
      assert.equal(formatIdset(ranks), expected[index])
    }
  }
})

test('AcceptedRanks has one set for constraints that accept the same ranks', () => {
  const accepted = new AcceptedRanks()
  accepted.restart(ATTRIBUTES)
  assert.equal(accepted.find(properties('gpu')), accepted.find(parseConstraint({ ranks: ['4-7'] })))
})

test('AcceptedRanks leaves constraints for the next readings that would take too long, and gets to all of them', () => {
  const accepted = new AcceptedRanks()
  const nested = { and: Array.from({ length: 3 }, () => ({ not: [{ properties: ['odd'] }] })) }
  const constraints = Array.from({ length: 8 }, () => parseConstraint(nested))
  const known: number[] = []
  for (let reading = 0; reading < 8; reading += 1) {
    accepted.restart(FRAGMENTED)
    const ranks = constraints.map((constraint) => accepted.find(constraint))
    known.push(ranks.filter((set) => !isUnknown(set)).length)
  }
  assert.ok((known[0] ?? 0) > 0 && (known[0] ?? 8) < 8, `${known[0]} of 8 at the first reading`)
  assert.equal(known.at(-1), 8)
})

test('AcceptedRanks does not try a constraint again that takes too long alone, and gets to the others', () => {
  const accepted = new AcceptedRanks()
  const every = { not: [{ properties: ['odd'] }] }
  const large = parseConstraint({ and: Array.from({ length: 60 }, () => every) })
  const small = properties('odd')
  accepted.restart(FRAGMENTED)
  const ranks = accepted.find(large)
  assert.ok(isUnknown(ranks))
  assert.match(ranks.reason, /takes too long/)
  accepted.restart(FRAGMENTED)
  assert.equal(accepted.find(large), ranks)
  assert.ok(!isUnknown(accepted.find(small)))
})

test('AcceptedRanks keeps a bounded number of ranges, and has room again for others', () => {
  const accepted = new AcceptedRanks()
  const without = (rank: number) =>
    parseConstraint({ and: [{ properties: ['odd'] }, { not: [{ ranks: [`${rank}`] }] }] })
  const first = Array.from({ length: 40 }, (_, index) => without(2 * index + 1))
  const unknownsOf = (constraints: typeof first) => {
    accepted.restart(FRAGMENTED)
    return constraints.filter((constraint) => isUnknown(accepted.find(constraint))).length
  }
  for (let reading = 0; reading < 10; reading += 1) unknownsOf(first)
  assert.equal(unknownsOf(first), 20)
  for (let reading = 0; reading < 10; reading += 1) unknownsOf(first.slice(20))
  assert.equal(unknownsOf(first.slice(20)), 0)
})
