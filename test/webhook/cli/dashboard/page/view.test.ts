import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  headlineOf,
  NOTHING_YET,
  viewAfter,
} from '../../../../../webhook/cli/dashboard/page/view.ts'
import { growing, OUTAGE } from '../../../../support/dashboard/scenes.ts'

const STATE = growing()

test('without an answer no number stays, but when Flux was read, and the hour', () => {
  const known = viewAfter(NOTHING_YET, STATE)
  assert.equal(known.explanation?.present, 7)
  const lost = viewAfter(known, OUTAGE)
  assert.deepEqual([lost.explanation, lost.hpas], [undefined, null])
  assert.equal(lost.readAt, '2026-11-29T03:12:40.000Z')
  assert.match(lost.reason ?? '', /no broker listens on the socket/)
  assert.equal(lost.history, known.history)
  const again = viewAfter(lost, STATE)
  assert.deepEqual([again.reason, again.explanation?.present], [undefined, 7])
})

test('before the first answer nothing is known, not even why', () => {
  assert.deepEqual(viewAfter(NOTHING_YET, OUTAGE).readAt, undefined)
})

test('the headline says which size is wanted, and which is there', () => {
  assert.ok(STATE.kind === 'known')
  const { explanation } = STATE
  const of = (desired: number | null, present: number) =>
    headlineOf({ ...explanation, desired, present })
  assert.equal(of(12, 10), 'Wants 12 nodes, has 10')
  assert.equal(of(1, 3), 'Wants 1 node, has 3')
  assert.equal(of(4, 4), 'Has the 4 nodes that it wants')
  assert.equal(of(1, 1), 'Has the 1 node that it wants')
  assert.equal(of(null, 4), 'The size that it needs is not known')
})
