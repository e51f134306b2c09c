import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdset } from '#flux/sets/idset.ts'
import { Absences } from '#scaling/drains/absences.ts'

const ALL = parseIdset('0-3')

/** Takes readings of four ranks: which were live, which of them drained. */
function observed(
  ...readings: readonly (readonly [at: number, live: string, ownDrained?: string])[]
): Absences {
  const absences = new Absences()
  for (const [at, live, own = ''] of readings) {
    absences.observe(at, { all: ALL, live: parseIdset(live), ownDrained: parseIdset(own) })
  }
  return absences
}

test('an absence is from the first reading without the rank to the last', () => {
  const absences = observed([0, '0-3'], [1000, '0-2'], [2000, '0-2'])
  assert.deepEqual(absences.of(3), { since: 1000, until: 2000, hasLeft: true })
  assert.equal(absences.of(2), undefined)
})

test('the absence of a rank that has joined is remembered while it is drained', () => {
  const absences = observed([0, '0-2'], [1000, '0-2'], [2000, '0-3', '3'], [3000, '0-3', '3'])
  assert.deepEqual(absences.of(3), { since: 0, until: 1000, hasLeft: false })
  const open = observed([0, '0-2'], [1000, '0-3'])
  assert.equal(open.of(3), undefined)
})

test('a rank that was there in between begins a new absence', () => {
  const absences = observed([0, '0-2'], [1000, '0-3', '3'], [2000, '0-2'])
  assert.deepEqual(absences.of(3), { since: 2000, until: 2000, hasLeft: true })
})

test('after a long silence every absence begins anew', () => {
  const hasLeft = false
  const short = observed([0, '0-2'], [30_000, '0-2'])
  assert.deepEqual(short.of(3), { since: 0, until: 30_000, hasLeft })
  const long = observed([0, '0-3'], [30_001, '0-2'])
  assert.deepEqual(long.of(3), { since: 30_001, until: 30_001, hasLeft })
})

test('a reading that takes a while shows a rank absent at its begin, and not before its end', () => {
  const absences = new Absences()
  const facts = { all: ALL, live: parseIdset('0-2'), ownDrained: parseIdset(''), tookMs: 100 }
  absences.observe(1_000, facts)
  assert.deepEqual(absences.of(3), { since: 1_000, until: 900, hasLeft: false })
  absences.observe(2_000, facts)
  assert.deepEqual(absences.of(3), { since: 1_000, until: 1_900, hasLeft: false })
})
