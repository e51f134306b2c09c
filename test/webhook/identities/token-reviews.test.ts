import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenReviews } from '../../../webhook/identities/token-reviews.ts'

/** How many of this number of requests of an address are admitted. */
function admitted(reviews: TokenReviews, count: number, address: string, now = 0): number {
  return Array.from({ length: count }, () => reviews.admit(address, now)).filter(Boolean).length
}

/** Many addresses that show one token each. */
function flood(reviews: TokenReviews, now: number): number {
  return Array.from({ length: 500 }, (_, index) => reviews.admit(`10.1.0.${index}`, now)).filter(
    Boolean,
  ).length
}

test('TokenReviews admits a burst of 20 of one address, and then one a second', () => {
  const reviews = new TokenReviews()
  assert.equal(admitted(reviews, 1_000, 'a'), 20)
  assert.equal(admitted(reviews, 1_000, 'a', 3_000), 3)
})

test('TokenReviews admits 100 of all strangers at once, and then ten a second', () => {
  const reviews = new TokenReviews()
  assert.equal(flood(reviews, 0), 100)
  assert.equal(flood(reviews, 1_000), 10)
})

test('TokenReviews admits an address that has shown a good token, whatever strangers do', () => {
  const reviews = new TokenReviews()
  reviews.remember('sidecar', 0)
  flood(reviews, 1_000)
  assert.deepEqual([reviews.admit('sidecar', 1_000), reviews.admit('new', 1_000)], [true, false])
})

test('TokenReviews knows an address for 15 minutes', () => {
  const reviews = new TokenReviews()
  reviews.remember('sidecar', 0)
  const late = 15 * 60_000
  flood(reviews, late)
  assert.equal(reviews.admit('sidecar', late), false)
})
