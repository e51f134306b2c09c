import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenBucket } from '#serving/limits/token-bucket.ts'

/** How many tokens can be taken at one time. */
function takeAll(bucket: TokenBucket, now: number): number {
  let count = 0
  while (bucket.take(now)) count += 1
  return count
}

test('take allows a burst, then the rate, and never more than the burst', () => {
  const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, 0)
  assert.deepEqual(
    [0, 400, 500, 1_500, 60_000].map((now) => takeAll(bucket, now)),
    [3, 0, 1, 2, 3],
  )
})

test('giveBack makes room at once, and never more than the burst', () => {
  const bucket = new TokenBucket({ burst: 2, perSecond: 0 }, 0)
  assert.equal(takeAll(bucket, 0), 2)
  for (let count = 0; count < 10; count += 1) bucket.giveBack(0.5)
  assert.equal(takeAll(bucket, 0), 2)
})
