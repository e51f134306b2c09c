import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdset } from '#flux/sets/idset.ts'
import { Absences } from '#scaling/drains/absences.ts'
import { RACE_MS } from '#scaling/drains/published-sizes.ts'

const ALL = parseIdset('0-3')

/** Takes readings of four ranks: which of them were live. */
function observed(...readings: readonly (readonly [at: number, live: string])[]): Absences {
  const absences = new Absences()
  for (const [at, live] of readings) absences.observe(at, { all: ALL, live: parseIdset(live) })
  return absences
}

test('an absence is from the first reading without the rank to the last', () => {
  const absences = observed([0, '0-3'], [1000, '0-2'], [2000, '0-2'])
  assert.deepEqual(absences.of(3), { since: 1000, until: 2000, hasLeft: true })
  assert.equal(absences.of(2), undefined)
})

test('the absence of a rank that has joined is remembered for the length of the race', () => {
  const joined = [0, 10_000, 20_000, 30_000, 40_000, 50_000].map((at) => [at, '0-3'] as const)
  const absences = observed([-2000, '0-2'], [-1000, '0-2'], ...joined)
  assert.deepEqual(absences.of(3), { since: -2000, until: -1000, hasLeft: false })
  const later = observed([-2000, '0-2'], [-1000, '0-2'], ...joined, [RACE_MS, '0-3'])
  assert.equal(later.of(3), undefined)
})

test('a rank that was there in between begins a new absence', () => {
  const absences = observed([0, '0-2'], [1000, '0-3'], [2000, '0-2'])
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
  const facts = { all: ALL, live: parseIdset('0-2'), tookMs: 100 }
  absences.observe(1_000, facts)
  assert.deepEqual(absences.of(3), { since: 1_000, until: 900, hasLeft: false })
  absences.observe(2_000, facts)
  assert.deepEqual(absences.of(3), { since: 1_000, until: 1_900, hasLeft: false })
})
