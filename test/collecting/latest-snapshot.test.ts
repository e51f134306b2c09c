import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LatestSnapshot } from '#collecting/latest-snapshot.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { snapshotOf } from '../support/snapshots.ts'

const MAX_AGE_MS = 30_000

function setUp(t: TestContext): { knowledge: LatestSnapshot; lines: string[] } {
  const lines: string[] = []
  const write = (_fields: object, message: string) => {
    lines.push(message)
  }
  const knowledge = new LatestSnapshot(MAX_AGE_MS, { info: write, warn: write })
  t.after(() => knowledge.close())
  return { knowledge, lines }
}

/** A snapshot read just now, by the mocked clock. */
function fresh(): Snapshot {
  return snapshotOf({ takenAt: new Date(), tookMs: 0 })
}

test('LatestSnapshot has no answer before the first snapshot', (t) => {
  const { knowledge } = setUp(t)
  assert.deepEqual(knowledge.reading(), {
    kind: 'stale',
    reason: 'not connected to the broker yet',
    since: undefined,
  })
})

test('LatestSnapshot serves the latest snapshot', (t) => {
  const { knowledge } = setUp(t)
  knowledge.learn(fresh())
  const latest = fresh()
  knowledge.learn(latest)
  assert.deepEqual(knowledge.reading(), { kind: 'fresh', snapshot: latest })
})

test('LatestSnapshot does not serve a snapshot once anything failed', (t) => {
  const { knowledge } = setUp(t)
  const snapshot = fresh()
  knowledge.learn(snapshot)
  knowledge.lose('broker closed the connection')
  assert.deepEqual(knowledge.reading(), {
    kind: 'stale',
    reason: 'broker closed the connection',
    since: snapshot.takenAt,
  })
})

test('LatestSnapshot serves a snapshot up to its limit of age and no longer', (t) => {
  t.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: Date.parse('2026-11-24T00:00:00Z') })
  const { knowledge, lines } = setUp(t)
  knowledge.learn(fresh())
  t.mock.timers.tick(MAX_AGE_MS - 1)
  assert.equal(knowledge.reading().kind, 'fresh')
  t.mock.timers.tick(2)
  const reading = knowledge.reading()
  assert.equal(reading.kind, 'stale')
  assert.equal(lines.at(-1), 'fresh → stale: the last reading of Flux is older than 30 s')
})

test('LatestSnapshot judges age by the clock as well as by timers, which a suspended machine stops', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-11-24T00:00:00Z') })
  const { knowledge } = setUp(t)
  knowledge.learn(fresh())
  t.mock.timers.setTime(Date.parse('2026-11-24T00:01:00Z'))
  assert.equal(knowledge.reading().kind, 'stale')
})

test('LatestSnapshot does not take a clock set back for youth', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { knowledge } = setUp(t)
  knowledge.learn(snapshotOf({ takenAt: new Date(Date.now() + 3_600_000), tookMs: MAX_AGE_MS + 1 }))
  assert.equal(knowledge.reading().kind, 'stale')
})

test('LatestSnapshot logs each change once, and each reason once until it knows again', (t) => {
  const { knowledge, lines } = setUp(t)
  knowledge.lose('there is no socket yet')
  knowledge.lose('there is no socket yet')
  knowledge.learn(fresh())
  knowledge.learn(fresh())
  knowledge.lose('broker closed the connection')
  knowledge.lose('no broker listens')
  knowledge.lose('broker closed the connection')
  knowledge.lose('no broker listens')
  knowledge.learn(fresh())
  assert.deepEqual(lines, [
    'still stale: there is no socket yet',
    'stale → fresh: read Flux',
    'fresh → stale: broker closed the connection',
    'still stale: no broker listens',
    'stale → fresh: read Flux',
  ])
})
