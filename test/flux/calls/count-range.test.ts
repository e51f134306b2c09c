// Ranges of counts: how many Fluxion takes of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mostOf, nodesOfSlots, rangeOf } from '#flux/calls/count-range.ts'
import type { CountRange } from '#flux/calls/jobspec-parts.ts'

const ENDLESS: CountRange = {
  ...{ times: 1, min: 1, max: Number.POSITIVE_INFINITY },
  ...{ operator: '+', operand: 1 },
}

test('mostOf gives as many as the range and the node allow, as Fluxion 0.54 does', () => {
  const cases: readonly (readonly [Partial<CountRange>, free: number, most: number])[] = [
    [{ max: 3 }, 4, 3],
    [{ max: 8 }, 4, 4],
    [{ min: 2 }, 1, 2],
    [{ min: 2, operand: 3 }, 7, 5],
    [{ max: 16, operator: '*', operand: 2 }, 12, 8],
    [{ min: 2, operator: '^', operand: 2 }, 100, 16],
    [{ operator: '^', operand: 2 }, 100, 1],
    [{ min: 0, operator: '*', operand: 2 }, 100, 0],
    [{ operator: '*', operand: 1 }, 100, 1],
    [{ operand: 0 }, 100, 1],
  ]
  for (const [changes, free, most] of cases) {
    assert.equal(mostOf({ ...ENDLESS, ...changes }, free), most)
  }
})

test('rangeOf reads ranges, and takes what is missing or odd for the widest', () => {
  for (const count of [3, '3', '[3]', { min: 3, max: 3 }])
    assert.equal(rangeOf(count, 1), undefined)
  const min = 3
  assert.deepEqual(rangeOf({ min, max: 9, operator: '*', operand: 2 }, 4), {
    ...{ times: 4, min, max: 9, operator: '*', operand: 2 },
  })
  for (const count of ['3-9', '[3+]', { min }, { min, max: 'many', operator: 1, operand: 1.5 }]) {
    assert.deepEqual(rangeOf(count, 1), { ...ENDLESS, min })
  }
  assert.throws(() => rangeOf({ max: 9 }, 1), { code: 'FLUX_PROTOCOL' })
})

test('nodesOfSlots counts the nodes with which Fluxion 0.54 found all slots', () => {
  const cases: readonly (readonly [slots: number, count: unknown, nodes: number])[] = [
    [3, 2, 6],
    [1, { min: 2, max: 4 }, 2],
    [3, { min: 1, max: 2 }, 6],
    [2, { min: 1, max: 3 }, 6],
    [2, { min: 2, max: 3 }, 6],
    [2, { min: 1, max: 4, operator: '*', operand: 4 }, 2],
    [3, { min: 2 }, 6],
  ]
  for (const [slots, count, nodes] of cases) assert.equal(nodesOfSlots(count, slots), nodes)
})
