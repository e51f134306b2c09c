import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PublishedSizes, RACE_MS } from '#scaling/published-sizes.ts'

test('PublishedSizes has no size before the first one', () => {
  const sizes = new PublishedSizes()
  assert.deepEqual([sizes.current, sizes.fellAt], [0, Number.NEGATIVE_INFINITY])
})

test('PublishedSizes counts the first size and each smaller one as a fall', () => {
  const sizes = new PublishedSizes()
  assert.equal(sizes.publish(1, 8), true)
  assert.equal(sizes.publish(2, 8), false)
  assert.equal(sizes.publish(3, 9), false)
  assert.equal(sizes.fellAt, 1)
  assert.equal(sizes.publish(4, 5), true)
  assert.deepEqual([sizes.current, sizes.fellAt], [5, 4])
})

test('PublishedSizes knows the smallest size on which an HPA may still act', () => {
  const sizes = new PublishedSizes()
  sizes.publish(0, 8)
  sizes.publish(10, 3)
  sizes.publish(20, 6)
  assert.equal(sizes.smallestInRace(20), 3)
  assert.equal(sizes.smallestInRace(20 + RACE_MS - 1), 3)
  assert.equal(sizes.smallestInRace(20 + RACE_MS), 6)
})
