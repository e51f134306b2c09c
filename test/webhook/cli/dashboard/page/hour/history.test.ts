import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type History,
  mergeHistory,
  outagesIn,
  withGaps,
} from '../../../../../../webhook/cli/dashboard/page/hour/history.ts'

function historyOf(at: readonly number[], events: History['events'] = []): History {
  const ones = at.map((time) => time % 100)
  return {
    ...{ stepSeconds: 10, at: [...at], events: [...events] },
    ...{ present: ones, desired: ones, floor: ones, demand: ones },
    ...{ running: ones, pending: ones },
  }
}

const event = (at: number, kind: string) => ({ at, kind, text: kind })

test('what a restarted sidecar has forgotten is kept, for an hour', () => {
  const before = historyOf([1_000, 1_010, 1_020], [event(1_000, 'start'), event(1_015, 'error')])
  const now = historyOf([1_100, 1_110], [event(1_095, 'start')])
  const merged = mergeHistory(before, now)
  assert.deepEqual(merged.at, [1_000, 1_010, 1_020, 1_100, 1_110])
  assert.deepEqual(merged.desired, [0, 10, 20, 0, 10])
  assert.deepEqual(
    merged.events.map(({ kind }) => kind),
    ['start', 'error', 'start'],
  )
  const later = mergeHistory(merged, historyOf([4_615]))
  assert.deepEqual(later.at, [1_020, 1_100, 1_110, 4_615])
})

test('of the same time the latest answer counts', () => {
  const before = historyOf([1_000, 1_010, 1_020])
  assert.deepEqual(
    mergeHistory(before, historyOf([1_010, 1_020, 1_030])).at,
    [1_000, 1_010, 1_020, 1_030],
  )
  assert.deepEqual(mergeHistory(undefined, before), before)
  assert.deepEqual(mergeHistory(before, historyOf([])), historyOf([]))
})

test('a gap gets an empty point, so that no line crosses it', () => {
  const [times, present] = withGaps(historyOf([1_000, 1_010, 1_050]))
  assert.deepEqual(times, [1_000, 1_010, 1_020, 1_050])
  assert.deepEqual(present, [0, 10, null, 50])
  assert.deepEqual(withGaps(historyOf([1_000, 1_030]))[0], [1_000, 1_030])
})

test('an outage ends when Flux is read again, or a sidecar starts', () => {
  const events = [
    event(1, 'start'),
    event(5, 'error'),
    event(6, 'error'),
    event(9, 'recovered'),
    event(12, 'error'),
    event(20, 'start'),
    event(30, 'error'),
  ]
  assert.deepEqual(outagesIn(events), [
    { from: 5, to: 9 },
    { from: 12, to: 20 },
    { from: 30, to: undefined },
  ])
})
