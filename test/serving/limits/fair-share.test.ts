import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FairShare } from '#serving/limits/fair-share.ts'

/** Takes one after the other as long as it can. */
function takeAll(share: FairShare, key: string): number {
  let taken = 0
  while (share.take(key, 1)) taken += 1
  return taken
}

test('each may take as much as it leaves free', () => {
  const share = new FairShare(120)
  assert.deepEqual([takeAll(share, 'a'), takeAll(share, 'b'), takeAll(share, 'c')], [60, 30, 15])
  assert.equal(share.used, 105)
  share.giveBack('a', 60)
  assert.deepEqual([share.take('d', 39), share.take('d', 38), share.used], [false, true, 83])
})

test('the first takes the only one', () => {
  const share = new FairShare(1)
  assert.deepEqual([takeAll(share, 'a'), takeAll(share, 'b')], [1, 0])
  share.giveBack('a', 1)
  assert.equal(takeAll(share, 'b'), 1)
})
