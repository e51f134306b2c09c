import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explain } from '#explaining/explanation.ts'
import { explainHeldDrains } from '#explaining/held-drains.ts'
import { formatExplanation } from '#explaining/text.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import type { HeldBecause } from '#scaling/drains/held-drains.ts'
import { snapshotOf } from '../support/snapshots.ts'

const NOW = new Date('2026-11-24T01:02:03Z')

function held(because: HeldBecause, seconds?: number) {
  const until = seconds === undefined ? undefined : new Date(NOW.getTime() + seconds * 1000)
  return { ranks: parseIdset('4-7'), because, until }
}

test('explainHeldDrains says which ranks are held, why, and until when', () => {
  const heldDrains = [held('ending', 42), held('awaited', -1), held('unwanted'), held('former', 3)]
  const explained = explainHeldDrains(snapshotOf({ heldDrains }), NOW)
  assert.deepEqual(
    explained.map(({ ranks, untilSeconds }) => [ranks, untilSeconds]),
    [
      ['4-7', 42],
      ['4-7', 0],
      ['4-7', null],
      ['4-7', 3],
    ],
  )
  assert.match(explained[0]?.reason ?? '', /may be ending/)
  assert.match(explained[2]?.reason ?? '', /no job needs them/)
  assert.deepEqual(explainHeldDrains(snapshotOf(), NOW), [])
})

test('an explanation has what is held, if something is', () => {
  const explanation = explain(snapshotOf({ heldDrains: [held('ending', 42)] }), NOW)
  assert.equal(explanation.held?.length, 1)
  const text = formatExplanation(explanation).replace(/\s+/g, ' ')
  assert.match(text, /held ranks 4-7 stay drained, for 42 s at most: an HPA read a smaller size/)
  assert.ok(!('held' in explain(snapshotOf({ heldDrains: [] }), NOW)))
})
