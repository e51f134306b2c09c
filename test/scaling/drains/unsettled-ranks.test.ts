import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_IDSET, formatIdset, parseIdset } from '#flux/sets/idset.ts'
import { SETTLE_MS, UnsettledRanks } from '#scaling/drains/unsettled-ranks.ts'

/** A broker that drained ranks 2 and 3 at 100 s of its clock; ours shows `at` seconds. */
function reading(at: number, { open = '0-1' } = {}) {
  const drains = [{ ranks: parseIdset('2-3'), reason: '', drainedAt: 100 }]
  return { takenAt: new Date(at * 1000), drains, open: parseIdset(open) }
}

test('a rank is unsettled until two seconds after its drain, by the time of Flux', () => {
  const ranks = new UnsettledRanks()
  assert.equal(formatIdset(ranks.observe(0, reading(100.5))), '2-3')
  assert.equal(formatIdset(ranks.observe(1_400, reading(101.9))), '2-3')
  assert.equal(formatIdset(ranks.observe(1_500, reading(102))), '')
})

test('a sidecar that has just started trusts the time of a drain that it did not make', () => {
  assert.equal(formatIdset(new UnsettledRanks().observe(0, reading(102))), '')
})

test('a rank that we saw open less than two seconds ago is unsettled, whatever the clock says', () => {
  const ranks = new UnsettledRanks()
  const before = { takenAt: new Date(0), drains: [], open: parseIdset('0-3') }
  assert.equal(formatIdset(ranks.observe(0, before)), '')
  assert.equal(formatIdset(ranks.observe(SETTLE_MS - 1, reading(9_000))), '2-3')
  assert.equal(formatIdset(ranks.observe(SETTLE_MS, reading(9_000))), '')
})

test('each rank that we saw open is in doubt for its own two seconds', () => {
  const ranks = new UnsettledRanks()
  const before = { takenAt: new Date(0), drains: [], open: parseIdset('0-3') }
  ranks.observe(-SETTLE_MS, before)
  ranks.observe(0, before)
  ranks.observe(500, reading(9_000))
  assert.equal(formatIdset(ranks.observe(SETTLE_MS - 1, reading(9_000))), '2-3')
  assert.equal(formatIdset(ranks.observe(SETTLE_MS, reading(9_000))), '')
})

test('a drain at the very time of the reading is a young one', () => {
  const ranks = new UnsettledRanks()
  ranks.observe(-SETTLE_MS, { ...reading(98), drains: [] })
  assert.equal(formatIdset(ranks.observe(0, reading(100))), '2-3')
})

test('without a time of the drain, or with one to come, a start is followed by two seconds of doubt', () => {
  for (const drainedAt of [undefined, 500]) {
    const ranks = new UnsettledRanks()
    const drains = [{ ranks: parseIdset('2-3'), reason: '', drainedAt }]
    const later = { ...reading(100), drains }
    assert.equal(formatIdset(ranks.observe(0, later)), '2-3')
    assert.equal(formatIdset(ranks.observe(SETTLE_MS - 1, later)), '2-3')
    assert.equal(formatIdset(ranks.observe(SETTLE_MS, later)), '')
  }
})

test('what is open is not drained, and nothing is remembered for longer than it matters', () => {
  const ranks = new UnsettledRanks()
  const open = { takenAt: new Date(0), drains: [], open: parseIdset('0-3') }
  ranks.observe(0, open)
  assert.deepEqual(ranks.observe(1, open), EMPTY_IDSET)
  assert.equal(formatIdset(ranks.observe(SETTLE_MS, reading(9_000, { open: '' }))), '0-3')
  assert.equal(formatIdset(ranks.observe(2 * SETTLE_MS, reading(9_000, { open: '' }))), '')
})

test('it is told when all are settled', () => {
  const ranks = new UnsettledRanks()
  ranks.observe(0, reading(100.5))
  assert.equal(ranks.settledAt, 1_500)
  ranks.observe(1_500, reading(102))
  assert.equal(ranks.settledAt, undefined)
  ranks.observe(5_000, { ...reading(110, { open: '0-3' }), drains: [] })
  ranks.observe(5_100, reading(110))
  assert.equal(ranks.settledAt, 7_000)
  const drains = [
    { ranks: parseIdset('2'), reason: '', drainedAt: 101 },
    { ranks: parseIdset('3'), reason: '', drainedAt: 100.5 },
  ]
  const started = new UnsettledRanks()
  started.observe(0, { ...reading(101.5), drains })
  assert.equal(started.settledAt, 1_500)
})

test('where a drained rank becomes busy late, ranks settle later from then on', () => {
  const ranks = new UnsettledRanks()
  const allocated = parseIdset('2')
  ranks.observe(0, reading(101))
  assert.equal(formatIdset(ranks.observe(2_500, reading(103.5))), '')
  assert.equal(formatIdset(ranks.observe(3_000, { ...reading(104), allocated })), '2-3')
  assert.equal(formatIdset(ranks.observe(6_900, { ...reading(107.9), allocated })), '2-3')
  assert.equal(formatIdset(ranks.observe(7_000, { ...reading(108), allocated })), '')
})

test('a rank that was busy when it was drained, or long ago, says nothing of commits', () => {
  const busy = new UnsettledRanks()
  const allocated = parseIdset('2')
  busy.observe(0, { ...reading(101), allocated })
  busy.observe(2_500, { ...reading(103.5), allocated })
  assert.equal(busy.settledAt, undefined)
  const old = new UnsettledRanks()
  old.observe(0, reading(101))
  old.observe(40_000, { ...reading(141), allocated })
  assert.equal(old.settledAt, undefined)
})

test('a rank that was open at the reading before says nothing of commits: a job may have started before its drain', () => {
  const ranks = new UnsettledRanks()
  ranks.observe(0, { takenAt: new Date(96_000), drains: [], open: parseIdset('0-3') })
  ranks.observe(10_000, { ...reading(106), allocated: parseIdset('2') })
  assert.equal(formatIdset(ranks.observe(10_100, reading(106.1))), '')
})

test('a reading that takes a while shows what is allocated when it began, not when it ended', () => {
  const unsettled = new UnsettledRanks()
  const takenAt = new Date()
  unsettled.observe(0, { takenAt, drains: [], open: parseIdset('0-3') })
  // The clock was set forward by an hour, so that the drain looks old.
  const drains = [
    { ranks: parseIdset('3'), reason: '', drainedAt: takenAt.getTime() / 1000 - 3600 },
  ]
  const reading = { takenAt, drains, open: parseIdset('0-2') }
  const slow = unsettled.observe(SETTLE_MS + 900, { ...reading, tookMs: 1000 })
  assert.equal(formatIdset(slow), '3', 'it began 1.9 s after the rank was open')
  const next = unsettled.observe(SETTLE_MS + 1900, { ...reading, tookMs: 1000 })
  assert.equal(formatIdset(next), '')
})
