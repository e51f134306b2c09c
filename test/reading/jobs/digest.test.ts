// Texts of constraints: the same for equal constraints, and different for all others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Constraint, parseConstraint } from '#flux/calls/constraint.ts'
import { digestOf, textOfConstraint } from '#reading/jobs/digest.ts'
import { runs } from '../../support/runs.ts'

const { tree } = fc.letrec<{ tree: object }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.record({ properties: fc.array(fc.constantFrom('a', '^a', 'b', 'a,b', '"', ';', 'or()')) }),
    fc.record({ ranks: fc.array(fc.constantFrom('0', '1-3', '5,7')) }),
    fc.record({
      hostlist: fc.array(fc.constantFrom('a', 'b', 'a,b', 'h[1-2]', 'ranks:0', 'a;ranks:0', ')')),
    }),
    ...(['and', 'or', 'not'] as const).map((operator) =>
      fc.array(tie('tree'), { maxLength: 2 }).map((of) => ({ [operator]: of })),
    ),
  ),
}))

test('textOfConstraint is the same only for constraints that are alike', () => {
  const seen = new Map<string, string>()
  fc.assert(
    fc.property(tree, (value) => {
      const constraint: Constraint = parseConstraint(value)
      const text = textOfConstraint(constraint)
      const json = JSON.stringify(constraint)
      assert.equal(seen.get(text) ?? json, json)
      seen.set(text, json)
    }),
    { numRuns: runs(5_000) },
  )
  assert.equal(new Set(seen.values()).size, seen.size)
})

test('digestOf is short, and differs for different texts', () => {
  assert.equal(digestOf('0-3'), digestOf('0-3'))
  assert.notEqual(digestOf('0-3'), digestOf('0-4'))
  assert.equal(digestOf('x'.repeat(1_000_000)).length, 44)
})
