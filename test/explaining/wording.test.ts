import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plural, ranksAre, spellEnd, spellGoing, spellSeconds } from '#explaining/wording.ts'
import { parseIdset } from '#flux/sets/idset.ts'

test('plural adds an s to all but one', () => {
  const texts = [0, 1, 2].map((count) => plural(count, 'node'))
  assert.deepEqual(texts, ['0 nodes', '1 node', '2 nodes'])
})

test('ranksAre counts the ranks if the list is too long', () => {
  const every = Array.from({ length: 500 }, (_, index) => 2 * index).join()
  assert.equal(ranksAre(parseIdset(every)), '500 ranks are')
})

test('ranksAre distinguishes one rank from several', () => {
  assert.equal(ranksAre(parseIdset('4')), 'rank 4 is')
  assert.equal(ranksAre(parseIdset('4,7-9')), 'ranks 4,7-9 are')
})

test('spellEnd rounds seconds up: a job that still runs does not end within 0 s', () => {
  assert.equal(spellEnd(0.2), 'ends within 1 s')
  assert.equal(spellEnd(4.3), 'ends within 5 s')
  assert.equal(spellEnd(2_460), 'ends within 41 min')
  assert.equal(spellEnd(0), 'its time limit is over')
})

test('spellGoing names the highest ranks, which go when the desired size is below what is present', () => {
  assert.equal(spellGoing({ present: 4, desired: 2 }), 'ranks 2-3, when it shrinks to 2')
  assert.equal(spellGoing({ present: 4, desired: 3 }), 'rank 3, when it shrinks to 3')
  for (const desired of [4, 5, null]) assert.equal(spellGoing({ present: 4, desired }), undefined)
})

for (const [seconds, text] of [
  [-5, '0 s'],
  [0.4, '0 s'],
  [119, '119 s'],
  [120, '2 min'],
  [2460, '41 min'],
  [7199, '120 min'],
  [7200, '2 h'],
  [172_799, '48 h'],
  [172_800, '2 d'],
  [400 * 86_400, '400 d'],
] as const) {
  test(`spellSeconds says ${text} for ${seconds}`, () => {
    assert.equal(spellSeconds(seconds), text)
  })
}
