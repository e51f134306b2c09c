// Constraints of jobs: every operator of RFC 31, and what is none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseConstraint } from '#flux/calls/constraint.ts'
import { FluxError } from '#flux/errors.ts'
import { parseIdset } from '#flux/sets/idset.ts'

const SHAPES: readonly (readonly [what: string, value: unknown, constraint: unknown])[] = [
  ['nothing', {}, { kind: 'and', of: [] }],
  [
    'properties and their negations',
    { properties: ['gpu', '^slow'] },
    { kind: 'properties', with: ['gpu'], without: ['slow'] },
  ],
  [
    'hosts of several lists',
    { hostlist: ['a[0-1]', 'b'] },
    { kind: 'hosts', hostlists: ['a[0-1]', 'b'] },
  ],
  ['ranks of several sets', { ranks: ['0-3', '7'] }, { kind: 'ranks', ranks: parseIdset('0-3,7') }],
  [
    'conditions in conditions',
    { or: [{ not: [{ ranks: ['1'] }] }, { and: [] }] },
    {
      kind: 'or',
      of: [
        { kind: 'not', of: [{ kind: 'ranks', ranks: parseIdset('1') }] },
        { kind: 'and', of: [] },
      ],
    },
  ],
]

for (const [what, value, constraint] of SHAPES) {
  test(`parseConstraint reads ${what}`, () => {
    assert.deepEqual(parseConstraint(value), constraint)
  })
}

const nested = (levels: number): unknown => (levels === 0 ? {} : { not: [nested(levels - 1)] })

const REFUSED: readonly (readonly [value: unknown, message: string])[] = [
  [null, 'at constraints: expected a constraint, got null'],
  [['ranks'], 'at constraints: expected a constraint, got ["ranks"]'],
  [{ ranks: [], properties: [] }, 'at constraints: expected one operator, got'],
  [{ ranks: '0' }, 'at constraints.ranks: expected a list of values, got "0"'],
  [{ ranks: [0] }, 'at constraints.ranks[0]: expected a string of at most 16384 characters, got 0'],
  [{ and: [{ or: [1] }] }, 'at constraints.and[0].or[0]: expected a constraint, got 1'],
  [{ xor: [] }, 'at constraints: expected and, or, not, properties, hostlist or ranks, got "xor"'],
  [{ and: Array.from({ length: 257 }, () => ({})) }, 'at constraints.and: expected at most 256'],
  [nested(16), 'expected at most 16 levels'],
]

for (const [value, message] of REFUSED) {
  test(`parseConstraint refuses with "${message}"`, () => {
    assert.throws(
      () => parseConstraint(value),
      (error) => error instanceof FluxError && error.message.includes(message),
    )
  })
}

test('parseConstraint accepts no more hosts than the largest instance has', () => {
  const lists = Array.from({ length: 100 }, (_, index) => `n${index}-[0-999]`)
  assert.throws(() => parseConstraint({ hostlist: lists }), { code: 'FLUX_PROTOCOL' })
})

test('parseConstraint reads anything, or refuses it with FLUX_PROTOCOL', () => {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue(),
      fc.dictionary(
        fc.constantFrom('and', 'or', 'not', 'ranks', 'hostlist', 'properties', 'x'),
        fc.array(tie('tree'), { maxLength: 3 }),
        { maxKeys: 2 },
      ),
    ),
  }))
  fc.assert(
    fc.property(tree, (value) => {
      try {
        parseConstraint(value)
      } catch (error) {
        assert.ok(error instanceof FluxError && error.code === 'FLUX_PROTOCOL', String(error))
      }
    }),
  )
})
