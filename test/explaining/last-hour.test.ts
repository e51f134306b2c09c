import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LastHour } from '#explaining/last-hour.ts'
import { EMPTY_IDSET, parseIdset } from '#flux/sets/idset.ts'
import { unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { snapshotOf } from '../support/snapshots.ts'

const START = Date.parse('2026-11-24T01:00:00Z')
const SECONDS = START / 1000

function sized(whole: number, changes: Partial<Snapshot> = {}): Snapshot {
  const wanted = { kind: 'known' as const, whole, queues: new Map() }
  return snapshotOf({ sizes: { wanted, drained: undefined }, ...changes })
}

test('LastHour keeps one point for each ten seconds, the latest', () => {
  const past = new LastHour(START)
  for (let second = 0; second < 30; second += 1) {
    past.noteSnapshot(sized(second), START + second * 1000)
  }
  const { at, desired, present, floor, demand, running, pending, stepSeconds } = past.explain(
    START + 30_000,
  )
  assert.equal(stepSeconds, 10)
  assert.deepEqual(at, [SECONDS + 9, SECONDS + 19, SECONDS + 29])
  assert.deepEqual(desired, [9, 19, 29])
  assert.deepEqual(present, [10, 10, 10])
  assert.deepEqual([floor[0], demand[0]], [7, 7])
  assert.deepEqual([running[0], pending[0]], [304 + 305, 301 + 302 + 303])
})

test('LastHour tells each change of the desired size, with its reason', () => {
  const past = new LastHour(START)
  const sizes = [7, 7, 9, 9, 7]
  for (const [index, size] of sizes.entries()) past.noteSnapshot(sized(size), START + index * 1000)
  const { events } = past.explain(START + 9_000)
  assert.deepEqual(
    events.map(({ at, kind }) => [at - SECONDS, kind]),
    [
      [0, 'start'],
      [0, 'size'],
      [2, 'size'],
      [4, 'size'],
    ],
  )
  assert.match(events[2]?.text ?? '', /^desired 9: /)
})

test('LastHour tells errors once, shows no number meanwhile, and tells their end', () => {
  const past = new LastHour(START)
  past.noteSnapshot(sized(7), START + 1_000)
  past.noteError('the broker is gone', START + 11_000)
  past.noteError('the broker is gone', START + 12_000)
  past.noteError('nobody answers', START + 13_000)
  past.noteSnapshot(sized(7), START + 25_000)
  const { events, desired, running } = past.explain(START + 26_000)
  assert.deepEqual(desired, [7, null, 7])
  assert.equal(running[1], null)
  assert.deepEqual(
    events.slice(2).map(({ kind, text }) => `${kind}: ${text}`),
    [
      'error: no metrics: the broker is gone',
      'error: no metrics: nobody answers',
      'recovered: Flux was read again',
    ],
  )
})

test('LastHour tells which ranks the sidecar drains and undrains', () => {
  const past = new LastHour(START)
  const withDrained = (ranks: string) => {
    const snapshot = sized(7)
    return { ...snapshot, ranks: { ...snapshot.ranks, ownDrained: parseIdset(ranks) } }
  }
  const none = sized(7)
  past.noteSnapshot({ ...none, ranks: { ...none.ranks, ownDrained: EMPTY_IDSET } }, START)
  past.noteSnapshot(withDrained('8-9'), START + 1_000)
  past.noteSnapshot(withDrained('9'), START + 2_000)
  const drains = past.explain(START + 3_000).events.filter(({ kind }) => kind === 'drain')
  assert.deepEqual(
    drains.map(({ text }) => text),
    ['the sidecar drained ranks 8-9', 'rank 8 is drained by the sidecar no longer'],
  )
})

test('LastHour does not know the size while it is unknown', () => {
  const past = new LastHour(START)
  past.noteSnapshot(sized(7), START)
  const sizes = { wanted: unknown('a jobspec is not read yet'), drained: undefined }
  past.noteSnapshot(snapshotOf({ sizes }), START + 20_000)
  past.noteSnapshot(snapshotOf({ sizes }), START + 21_000)
  const { desired, events } = past.explain(START + 22_000)
  assert.deepEqual(desired, [7, null])
  assert.equal(events.filter(({ kind }) => kind === 'size').length, 2)
})

test('LastHour forgets what is older than an hour, and stays small', () => {
  const past = new LastHour(START)
  const snapshots = [sized(7), sized(8), sized(9)]
  for (let second = 0; second < 3 * 3600; second += 1) {
    const snapshot = snapshots[second % snapshots.length]
    if (snapshot !== undefined) past.noteSnapshot(snapshot, START + second * 1000)
  }
  const { at, events } = past.explain(START + 3 * 3600 * 1000)
  assert.ok(at.length <= 361 && at.length >= 359, `${at.length} points`)
  assert.equal(events.length, 200)
  const texts = events.reduce((sum, { text }) => sum + text.length, 0)
  assert.ok(texts <= 200 * 401)
  assert.deepEqual(past.explain(START + 5 * 3600 * 1000).at, [])
})

test('LastHour keeps the hour when the clock is corrected by a part of a step', () => {
  const past = new LastHour(START)
  past.noteSnapshot(sized(7), START + 60_000)
  past.noteSnapshot(sized(9), START + 75_000)
  const { at, events } = past.explain(START + 74_500)
  assert.deepEqual(at, [SECONDS + 60])
  assert.deepEqual(
    events.map((event) => event.at - SECONDS),
    [0, 60, 74.5],
  )
})

test('LastHour forgets everything when the clock is set back', () => {
  const past = new LastHour(START)
  past.noteSnapshot(sized(7), START + 60_000)
  past.noteSnapshot(sized(7), START)
  assert.deepEqual(past.explain(START).at, [SECONDS])
})
