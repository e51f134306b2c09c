import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MaxTree } from '#scaling/placement/max-tree.ts'

test('MaxTree finds the next number that is large enough, as a search one by one does', () => {
  const change = fc.record({ index: fc.nat(40), value: fc.nat(9) })
  const query = fc.record({ from: fc.nat(45), least: fc.nat(10) })
  fc.assert(
    fc.property(
      fc.array(fc.nat(9), { maxLength: 41 }),
      fc.array(fc.tuple(change, query), { maxLength: 50 }),
      (numbers, steps) => {
        const tree = new MaxTree(Int32Array.from(numbers))
        for (const [{ index, value }, { from, least }] of steps) {
          if (index < numbers.length) {
            numbers[index] = value
            tree.set(index, value)
          }
          const expected = numbers.findIndex((number, at) => at >= from && number >= least)
          assert.equal(tree.find(from, least), expected)
        }
      },
    ),
  )
})
