import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LatestSnapshot } from '#collecting/latest-snapshot.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { snapshotOf } from '../support/snapshots.ts'

const MAX_AGE_MS = 30_000
const STALE = 'fresh → stale: metrics are errors until Flux is read'

function setUp(t: TestContext): { latest: LatestSnapshot; lines: string[] } {
  const lines: string[] = []
  const write = (fields: object, message: string) => {
    lines.push('reason' in fields ? `${message}: ${fields.reason}` : message)
  }
  const latest = new LatestSnapshot(MAX_AGE_MS, { info: write, warn: write })
  t.after(() => latest.close())
  return { latest, lines }
}

/** A snapshot read just now, by the mocked clock. */
function fresh(): Snapshot {
  return snapshotOf({ takenAt: new Date(), tookMs: 0 })
}

test('LatestSnapshot is stale before the first snapshot', (t) => {
  const { latest } = setUp(t)
  assert.deepEqual(latest.reading(), {
    kind: 'stale',
    reason: 'not connected to the broker yet',
    since: undefined,
  })
})

test('LatestSnapshot serves the latest snapshot', (t) => {
  const { latest } = setUp(t)
  latest.replace(fresh())
  const snapshot = fresh()
  latest.replace(snapshot)
  assert.deepEqual(latest.reading(), { kind: 'fresh', snapshot })
})

test('LatestSnapshot does not serve a snapshot after a failure', (t) => {
  const { latest } = setUp(t)
  const snapshot = fresh()
  latest.replace(snapshot)
  latest.markStale('broker closed the connection')
  assert.deepEqual(latest.reading(), {
    kind: 'stale',
    reason: 'broker closed the connection',
    since: snapshot.takenAt,
  })
})

test('LatestSnapshot serves a snapshot up to the age limit', (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.parse('2026-11-24T00:00:00Z') })
  const { latest, lines } = setUp(t)
  latest.replace(fresh())
  t.mock.timers.tick(MAX_AGE_MS - 1)
  assert.equal(latest.reading().kind, 'fresh')
  t.mock.timers.tick(2)
  const reading = latest.reading()
  assert.equal(reading.kind, 'stale')
  assert.equal(lines.at(-1), `${STALE}: the last reading of Flux is older than 30 s`)
})

test('LatestSnapshot counts the time in which a snapshot was worked out, also if the clock was set back', (t) => {
  const { latest } = setUp(t)
  const takenAt = new Date(Date.now() + 3_600_000)
  latest.replace(snapshotOf({ takenAt, tookMs: 10_000 }), MAX_AGE_MS - 15_000)
  assert.equal(latest.reading().kind, 'fresh')
  latest.replace(snapshotOf({ takenAt, tookMs: 10_000 }), MAX_AGE_MS - 9_999)
  assert.equal(latest.reading().kind, 'stale')
})

test('LatestSnapshot judges the age by the clock too, because a suspended machine stops timers', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24T00:00:00Z') })
  const { latest } = setUp(t)
  latest.replace(fresh())
  t.mock.timers.setTime(Date.parse('2026-11-24T00:01:00Z'))
  assert.equal(latest.reading().kind, 'stale')
})

test('LatestSnapshot does not serve an old snapshot after the clock was set back', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { latest } = setUp(t)
  latest.replace(snapshotOf({ takenAt: new Date(Date.now() + 3_600_000), tookMs: MAX_AGE_MS + 1 }))
  assert.equal(latest.reading().kind, 'stale')
})

test('LatestSnapshot logs each change once, and each reason once until the next snapshot', (t) => {
  const { latest, lines } = setUp(t)
  latest.markStale('there is no socket yet')
  latest.markStale('there is no socket yet')
  latest.replace(fresh())
  latest.replace(fresh())
  latest.markStale('broker closed the connection')
  latest.markStale('no broker listens')
  latest.markStale('broker closed the connection')
  latest.markStale('no broker listens')
  latest.replace(fresh())
  assert.deepEqual(lines, [
    'still stale: there is no socket yet',
    'stale → fresh: read Flux',
    `${STALE}: broker closed the connection`,
    'still stale: no broker listens',
    'stale → fresh: read Flux',
  ])
})
