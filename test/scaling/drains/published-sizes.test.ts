import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DECISION_MS, PublishedSizes } from '#scaling/drains/published-sizes.ts'

const NEVER = Number.NEGATIVE_INFINITY

/** Sizes, each published at a time. */
function published(...sizes: readonly (readonly [at: number, size: number])[]): PublishedSizes {
  const published = new PublishedSizes()
  for (const [at, size] of sizes) published.publish(at, size)
  return published
}

test('PublishedSizes has no size before the first one', () => {
  assert.equal(new PublishedSizes().current, 0)
})

test('PublishedSizes: the current size takes ranks away now', () => {
  const sizes = published([0, 8])
  assert.equal(sizes.danger(50, 8).readAt, 50)
  assert.equal(sizes.danger(50, 7).readAt, NEVER)
})

test('PublishedSizes: without requests a size may have been read until it was replaced', () => {
  const sizes = published([0, 8], [10, 3], [20, 6], [30, 10])
  assert.deepEqual(sizes.danger(40, 3), { readAt: 20, endedBy: 20 + DECISION_MS })
  assert.equal(sizes.danger(40, 6).readAt, 30)
  assert.equal(sizes.danger(40, 2).readAt, NEVER)
})

test('PublishedSizes: with requests only what was read counts', () => {
  const sizes = published([0, 8])
  sizes.read(5, 8, 'hpa')
  sizes.publish(10, 3)
  sizes.publish(20, 10)
  assert.equal(sizes.danger(21, 3).readAt, NEVER)
  sizes.publish(30, 3)
  sizes.read(31, 3, 'hpa')
  sizes.publish(40, 10)
  assert.equal(sizes.danger(41, 3).readAt, 31)
})

test('PublishedSizes: when the requests have ended, others may be reading', () => {
  const sizes = published([0, 8], [10_000, 3], [20_000, 10])
  sizes.read(20_001, 10, 'hpa')
  assert.equal(sizes.danger(20_002, 3).readAt, NEVER)
  assert.equal(sizes.danger(50_001, 3).readAt, 20_000)
})

test('PublishedSizes: who reads again has acted on what it read before', () => {
  const sizes = published([0, 3])
  sizes.read(9_000, 3, 'hpa')
  sizes.publish(10_000, 8)
  sizes.read(12_000, 8, 'hpa')
  sizes.read(13_000, 8, 'hpa')
  // 3 s for the operator.
  assert.deepEqual(sizes.danger(14_000, 5), { readAt: 9_000, endedBy: 15_000 })
})

test('PublishedSizes: two requests at once are not taken for two turns of an HPA', () => {
  const sizes = published([0, 3])
  sizes.read(9_999, 3, 'hpa')
  sizes.publish(10_000, 8)
  sizes.read(10_001, 8, 'hpa')
  assert.equal(sizes.danger(14_000, 5).endedBy, 14_999)
})

test("PublishedSizes: a small size may be an HPA's whoever reads it; only the HPA controller ends a turn", () => {
  const sizes = published([0, 8])
  sizes.read(5, 8, 'hpa')
  sizes.publish(10, 3)
  sizes.read(11_000, 3, 'other')
  sizes.publish(12_000, 8)
  sizes.read(12_100, 8, 'other')
  const danger = { readAt: 11_000, endedBy: 11_000 + DECISION_MS }
  assert.deepEqual(sizes.danger(14_000, 5), danger)
  sizes.read(12_200, 8, 'hpa')
  assert.equal(sizes.danger(14_000, 5).endedBy, 16_000)
})

test('PublishedSizes: while others than the HPA controller read, sizes may be read elsewhere as well', () => {
  const sizes = published([0, 8], [10_000, 3])
  sizes.read(15_000, 3, 'other')
  sizes.publish(20_000, 10)
  sizes.read(20_001, 10, 'other')
  assert.equal(sizes.danger(20_002, 3).readAt, 20_000)
})

test('PublishedSizes: of two sizes that were read at the same time the later one counts', () => {
  const sizes = published([0, 3])
  sizes.read(5, 3, 'hpa')
  sizes.publish(5, 8)
  sizes.read(5, 8, 'hpa')
  sizes.publish(5, 4)
  sizes.read(5, 4, 'hpa')
  sizes.publish(10, 8)
  assert.deepEqual(sizes.danger(10, 5), { readAt: 5, endedBy: 5 + DECISION_MS })
})

test('PublishedSizes: an earlier process may have published any size', () => {
  const sizes = new PublishedSizes()
  sizes.begin(100)
  sizes.publish(200, 8)
  sizes.read(300, 8, 'hpa')
  assert.equal(sizes.danger(400, 0).readAt, 100)
})
