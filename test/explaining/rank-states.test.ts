import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { explainRanks } from '#explaining/rank-states.ts'
import { countIds, intersectIdsets, isEmpty, parseIdset } from '#flux/sets/idset.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { arbitraryIds, idsToText } from '../support/arbitraries.ts'
import { ranksWith, snapshotOf } from '../support/snapshots.ts'

function statesOf(changes: Partial<Snapshot>) {
  return explainRanks(snapshotOf(changes)).map(({ state, ranks }) => `${state} ${ranks}`)
}

function drain(ranks: string, reason = 'broken') {
  return { ranks: parseIdset(ranks), reason, drainedAt: 0 }
}

test('ranks are busy, free, or beyond the size', () => {
  assert.deepEqual(statesOf({}), ['absent 10-15', 'busy 0-6', 'free 7-9'])
})

test('ranks below the size that are not up are coming', () => {
  const snapshot = snapshotOf({ offline: parseIdset('3,10-15') })
  const sizes = { wanted: { kind: 'known' as const, whole: 12, queues: new Map() } }
  const states = explainRanks({ ...snapshot, sizes: { ...sizes, drained: undefined } })
  assert.deepEqual(
    states.map(({ state, ranks }) => `${state} ${ranks}`),
    ['coming 3,10-11', 'absent 12-15', 'busy 0-2,4-6', 'free 7-9'],
  )
})

test('drained, torpid, closed and lost ranks', () => {
  const states = statesOf({
    drains: [drain('2,9,12')],
    torpid: parseIdset('8'),
    closed: parseIdset('7'),
    lost: parseIdset('15'),
  })
  assert.deepEqual(states, [
    'lost 15',
    'drained busy 2',
    'drained 9,12',
    'absent 10-11,13-14',
    'torpid 8',
    'closed 7',
    'busy 0-1,3-6',
  ])
})

test('every rank of R has exactly one state', () => {
  const ids = arbitraryIds.map((set) => new Set([...set].filter((id) => id < 16)))
  fc.assert(
    fc.property(ids, ids, ids, ids, ids, (offline, torpid, lost, drained, allocated) => {
      const states = explainRanks(
        snapshotOf({
          offline: parseIdset(idsToText(offline)),
          torpid: parseIdset(idsToText(torpid)),
          lost: parseIdset(idsToText(lost)),
          drains: drained.size === 0 ? [] : [drain(idsToText(drained))],
          allocated: ranksWith(idsToText(allocated), { cores: '0-7' }),
        }),
      ).map(({ ranks }) => parseIdset(ranks))
      assert.equal(
        states.reduce((sum, ranks) => sum + countIds(ranks), 0),
        16,
      )
      for (const [index, one] of states.entries()) {
        for (const other of states.slice(index + 1)) assert.ok(isEmpty(intersectIdsets(one, other)))
      }
    }),
  )
})
