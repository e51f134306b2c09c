// What is remembered of ranks and sizes, reading by reading, on a clock of the test's own.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  formatIdset,
  intersectIdsets,
  isEmpty,
  parseIdset,
  subtractIdsets,
} from '#flux/sets/idset.ts'
import { DEFAULT_PATIENCE, History } from '#scaling/history.ts'
import { SlidingMaximum } from '#scaling/sliding-maximum.ts'
import { arbitraryIds, idsToText } from '../support/arbitraries.ts'

const GRACE = DEFAULT_PATIENCE.idleGraceMs
const JOIN = DEFAULT_PATIENCE.joinTimeoutMs

/** One reading: ranks as texts; offline are all others of 16. */
interface Observation {
  readonly at: number
  readonly online: string
  readonly allocated?: string
  /** Default: as many as there are. */
  readonly wanted?: number
}

/** What the last of some readings told. */
function observe(
  history: History,
  ...observations: readonly Observation[]
): { recent: string; lost: string } {
  let told = { recent: '', lost: '' }
  for (const { at, online, allocated = '', wanted = 0 } of observations) {
    const facts = {
      ranks: { live: parseIdset(online), allocated: parseIdset(allocated) },
      offline: subtractIdsets(parseIdset('0-15'), parseIdset(online)),
    }
    const { recent, lost } = history.observe(at, facts, wanted)
    told = { recent: formatIdset(recent), lost: formatIdset(lost) }
  }
  return told
}

/** A history whose first reading is long past. */
function settled(): History {
  const history = new History()
  observe(history, { at: -GRACE, online: '0-15' })
  return history
}

test('History takes every rank of the first reading for one released just now', () => {
  const history = new History()
  assert.equal(observe(history, { at: 0, online: '0-3', allocated: '1' }).recent, '0,2-3')
  assert.equal(observe(history, { at: GRACE - 1, online: '0-3' }).recent, '0-3')
  assert.equal(observe(history, { at: GRACE, online: '0-3' }).recent, '1')
})

test('History does so again when everything may have changed unseen', () => {
  const history = settled()
  assert.equal(observe(history, { at: 0, online: '0-3' }).recent, '')
  history.restart()
  assert.equal(observe(history, { at: 1, online: '0-4' }).recent, '0-4')
  assert.equal(observe(history, { at: 1 + GRACE, online: '0-4' }).recent, '')
})

test('History keeps a rank for the whole grace from the first reading without its job', () => {
  const history = settled()
  observe(history, { at: 0, online: '0-3', allocated: '2' }, { at: 10_000, online: '0-3' })
  assert.equal(observe(history, { at: 10_000 + GRACE - 1, online: '0-3' }).recent, '2')
  assert.equal(observe(history, { at: 10_000 + GRACE, online: '0-3' }).recent, '')
})

test('History does not call a busy rank recent, nor one that is not there', () => {
  const history = settled()
  observe(history, { at: 0, online: '0-3', allocated: '2-3' })
  assert.equal(observe(history, { at: 1, online: '0-2', allocated: '2' }).recent, '')
  assert.equal(observe(history, { at: 2, online: '0-3', allocated: '2' }).recent, '3')
})

test('History does not call a rank recent that has only come', () => {
  const history = settled()
  assert.equal(observe(history, { at: 0, online: '0' }, { at: 1, online: '0-3' }).recent, '')
})

test('History gives up a rank that others have passed, when it has not come for long', () => {
  const history = settled()
  observe(history, { at: 0, online: '0,2-3' })
  assert.equal(observe(history, { at: JOIN - 1, online: '0,2-3' }).lost, '')
  assert.equal(observe(history, { at: JOIN, online: '0,2-3' }).lost, '1')
  assert.equal(observe(history, { at: 2 * JOIN, online: '0,2-3' }).lost, '1')
})

test('History gives up every one of several ranks, each at its time', () => {
  const history = settled()
  observe(history, { at: 0, online: '0,2-5' }, { at: 1, online: '0,2,5' })
  assert.equal(observe(history, { at: JOIN, online: '0,2,5' }).lost, '1')
  assert.equal(observe(history, { at: JOIN + 1, online: '0,2,5' }).lost, '1,3-4')
})

test('History forgives a rank that comes after all, and counts anew', () => {
  const history = settled()
  observe(history, { at: 0, online: '0,2' }, { at: JOIN, online: '0-2' })
  assert.equal(observe(history, { at: JOIN + 1, online: '0,2' }).lost, '')
  assert.equal(observe(history, { at: 2 * JOIN, online: '0,2' }).lost, '')
  assert.equal(observe(history, { at: 2 * JOIN + 1, online: '0,2' }).lost, '1')
})

test('History never gives up ranks above all that came: more may be held back by the HPA or a quota', () => {
  const history = new History()
  const sight = { online: '0-3', wanted: 12 }
  assert.equal(observe(history, { at: 0, ...sight }, { at: 10 * JOIN, ...sight }).lost, '')
})

test('History gives up the highest rank, too, if it was there and is still wanted', () => {
  const history = new History()
  observe(history, { at: 0, online: '0-5', wanted: 6 }, { at: 1, online: '0-4', wanted: 6 })
  assert.equal(observe(history, { at: JOIN, online: '0-4', wanted: 6 }).lost, '')
  assert.equal(observe(history, { at: JOIN + 1, online: '0-4', wanted: 6 }).lost, '5')
})

test('History does not miss ranks that shrinking took away, nor when they are wanted again', () => {
  const history = new History()
  observe(
    history,
    { at: 0, online: '0-5', wanted: 6 },
    { at: 1, online: '0-5', wanted: 3 },
    { at: 2, online: '0-2', wanted: 3 },
    { at: 3, online: '0-2', wanted: 6 },
  )
  assert.equal(observe(history, { at: 3 + 10 * JOIN, online: '0-2', wanted: 6 }).lost, '')
})

test('History knows nothing of ranks where there is none', () => {
  assert.deepEqual(observe(new History(), { at: 0, online: '' }), { recent: '', lost: '' })
})

test('History follows the patience that it was given', () => {
  const history = new History({ idleGraceMs: 0, joinTimeoutMs: 5 })
  assert.equal(observe(history, { at: 0, online: '0-3' }).recent, '')
  observe(history, { at: 1, online: '0,2-3' })
  assert.equal(observe(history, { at: 6, online: '0,2-3' }).lost, '1')
})

test('History holds the size of each purpose by itself, through a restart', () => {
  const history = new History()
  assert.equal(history.hold('', 0, 8), 8)
  assert.equal(history.hold('batch', 0, 3), 3)
  history.restart()
  assert.equal(history.hold('', 1, 2), 8)
  assert.equal(history.hold('batch', 1, 2), 3)
  // It was wanted until the reading after the last that wanted it.
  assert.equal(history.hold('', GRACE, 2), 8)
  assert.equal(history.hold('', GRACE + 1, 2), 2)
})

test('History holds no size through a long silence: what was wanted before is of the past', () => {
  const history = new History()
  assert.equal(history.hold('', 0, 8), 8)
  assert.equal(history.hold('', 30_000, 2), 8)
  assert.equal(history.hold('', 30_000 + GRACE - 1, 2), 8)
  assert.equal(history.hold('', 30_000 + GRACE, 2), 2)
  assert.equal(history.hold('', 200_000, 9), 9)
  // An hour later nobody knows whether that job was cancelled.
  assert.equal(history.hold('', 3_800_000, 2), 2)
})

test('History holds a size though readings are slow: until the next began, not until it ended', () => {
  const history = new History({ ...DEFAULT_PATIENCE, unseenMs: 30_000 })
  const slow = (now: number, tookMs: number, size: number) => {
    const ranks = { live: parseIdset('0'), allocated: parseIdset('') }
    history.observe(now, { ranks, offline: parseIdset(''), tookMs }, 0)
    return history.hold('', now, size)
  }
  assert.equal(slow(0, 9_000, 8), 8)
  assert.equal(slow(39_000, 9_000, 2), 8)
  assert.equal(slow(39_000 + GRACE - 1, 9_000, 2), 8)
})

test('History says of any readings that recent ranks are there and free, and lost ones are not there', () => {
  const sights = fc.array(
    fc.record({
      pause: fc.nat(JOIN),
      online: arbitraryIds,
      busy: arbitraryIds,
      wanted: fc.nat(60),
    }),
    { minLength: 1, maxLength: 20 },
  )
  fc.assert(
    fc.property(sights, (readings) => {
      const history = new History()
      let now = 0
      for (const { pause, online: ids, busy, wanted } of readings) {
        now += pause
        const live = parseIdset(idsToText(ids))
        const allocated = intersectIdsets(live, parseIdset(idsToText(busy)))
        const offline = subtractIdsets(parseIdset('0-63'), live)
        const { recent, lost } = history.observe(
          now,
          { ranks: { live, allocated }, offline },
          wanted,
        )
        assert.ok(isEmpty(subtractIdsets(recent, subtractIdsets(live, allocated))))
        assert.ok(isEmpty(subtractIdsets(lost, offline)))
      }
    }),
  )
})

test('SlidingMaximum tells the largest value of the window, its end left out', () => {
  const largest = new SlidingMaximum(10)
  const steps = [
    [0, 5, 5],
    [1, 3, 5],
    [2, 4, 5],
    [9, 1, 5],
    [10, 1, 4],
    [11, 2, 4],
    [12, 1, 2],
    [13, 7, 7],
  ] as const
  for (const [at, value, told] of steps) assert.equal(largest.add(at, value), told, `at ${at}`)
})

test('SlidingMaximum tells what a search of all values tells', () => {
  const steps = fc.array(fc.record({ pause: fc.nat(8), value: fc.nat(6) }), { maxLength: 60 })
  fc.assert(
    fc.property(fc.nat(20), steps, (windowMs, values) => {
      const largest = new SlidingMaximum(windowMs)
      const all: { at: number; value: number }[] = []
      let now = 0
      for (const { pause, value } of values) {
        now += pause
        all.push({ at: now, value })
        const young = all.filter(({ at }) => at > now - windowMs).map((one) => one.value)
        assert.equal(largest.add(now, value), Math.max(value, ...young))
      }
    }),
  )
})
