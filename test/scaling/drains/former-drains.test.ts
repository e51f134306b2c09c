import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import { FormerDrains } from '#scaling/drains/former-drains.ts'
import { RACE_MS } from '#scaling/drains/published-sizes.ts'

/** Ranks that are live, and those of them that we drained. */
function ranks(live: string, ownDrained: string) {
  return { live: parseIdset(live), ownDrained: parseIdset(ownDrained) }
}

test('FormerDrains holds the size of what is drained and live, and lifts the drains after the race', () => {
  const drains = new FormerDrains()
  const before = drains.plan(0, ranks('0-6', '4-9'), 4)
  assert.deepEqual([before?.size, before?.lookAt], [7, RACE_MS])
  assert.equal(formatIdset(before?.undrain ?? parseIdset('0')), '')
  assert.equal(drains.plan(RACE_MS - 1, ranks('0-6', '4-9'), 4)?.undrain.ranges.length, 0)
  const after = drains.plan(RACE_MS, ranks('0-6', '4-9'), 4)
  assert.equal(after?.size, 7)
  assert.equal(formatIdset(after?.undrain ?? parseIdset('')), '4-9')
  assert.deepEqual([before?.held?.length, after?.held?.length], [1, 0])
  assert.equal(drains.plan(RACE_MS + 1, ranks('0-6', ''), 4), undefined)
})

test('FormerDrains counts anew when there are drains again, and never lowers a size', () => {
  const drains = new FormerDrains()
  assert.equal(drains.plan(0, ranks('0-6', ''), 4), undefined)
  assert.equal(drains.plan(5, ranks('0-6', '4'), 9)?.size, 9)
  assert.equal(drains.plan(5, ranks('0-6', '4'), 9)?.lookAt, 5 + RACE_MS)
})
