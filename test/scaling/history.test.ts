// What is remembered of ranks and sizes, reading by reading, with times that the tests choose.
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

/** One reading of 16 ranks, with ranks as texts. Every rank that is not online is offline. */
interface Observation {
  readonly at: number
  readonly online: string
  readonly allocated?: string
  /** The published size. Default: 0, so that only live ranks count. */
  readonly published?: number
}

/** What is remembered after the last of these readings. */
function observe(
  history: History,
  ...observations: readonly Observation[]
): { recent: string; lost: string } {
  let remembered = { recent: '', lost: '' }
  for (const { at, online, allocated = '', published = 0 } of observations) {
    const facts = {
      ranks: { live: parseIdset(online), allocated: parseIdset(allocated) },
      offline: subtractIdsets(parseIdset('0-15'), parseIdset(online)),
    }
    const { recent, lost } = history.observe(at, facts, published)
    remembered = { recent: formatIdset(recent), lost: formatIdset(lost) }
  }
  return remembered
}

/** A history whose first reading was a grace ago. */
function settled(): History {
  const history = new History(DEFAULT_PATIENCE)
  observe(history, { at: -GRACE, online: '0-15' })
  return history
}

test('History counts every live rank of the first reading as released just then', () => {
  const history = new History(DEFAULT_PATIENCE)
  assert.equal(observe(history, { at: 0, online: '0-3', allocated: '1' }).recent, '0,2-3')
  assert.equal(observe(history, { at: GRACE - 1, online: '0-3' }).recent, '0-3')
  assert.equal(observe(history, { at: GRACE, online: '0-3' }).recent, '1')
})

test('History counts every live rank as released just then also after a restart', () => {
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

test('History reports neither a busy nor an offline rank as recent', () => {
  const history = settled()
  observe(history, { at: 0, online: '0-3', allocated: '2-3' })
  assert.equal(observe(history, { at: 1, online: '0-2', allocated: '2' }).recent, '')
  assert.equal(observe(history, { at: 2, online: '0-3', allocated: '2' }).recent, '3')
})

test('History does not report a rank as recent that has just joined', () => {
  const history = settled()
  assert.equal(observe(history, { at: 0, online: '0' }, { at: 1, online: '0-3' }).recent, '')
})

test('History reports a rank as lost that has been missing below others for the join timeout', () => {
  const history = settled()
  observe(history, { at: 0, online: '0,2-3' })
  assert.equal(observe(history, { at: JOIN - 1, online: '0,2-3' }).lost, '')
  assert.equal(observe(history, { at: JOIN, online: '0,2-3' }).lost, '1')
  assert.equal(observe(history, { at: 2 * JOIN, online: '0,2-3' }).lost, '1')
})

test('History reports a rank below others as lost also if it has never joined', () => {
  const history = new History(DEFAULT_PATIENCE)
  observe(history, { at: 0, online: '0,2-3' })
  assert.equal(observe(history, { at: JOIN, online: '0,2-3' }).lost, '1')
})

test('History reports each of several missing ranks as lost at its own time', () => {
  const history = settled()
  observe(history, { at: 0, online: '0,2-5' }, { at: 1, online: '0,2,5' })
  assert.equal(observe(history, { at: JOIN, online: '0,2,5' }).lost, '1')
  assert.equal(observe(history, { at: JOIN + 1, online: '0,2,5' }).lost, '1,3-4')
})

test('History does not report a rank as lost that joined late, and starts counting again', () => {
  const history = settled()
  observe(history, { at: 0, online: '0,2' }, { at: JOIN, online: '0-2' })
  assert.equal(observe(history, { at: JOIN + 1, online: '0,2' }).lost, '')
  assert.equal(observe(history, { at: 2 * JOIN, online: '0,2' }).lost, '')
  assert.equal(observe(history, { at: 2 * JOIN + 1, online: '0,2' }).lost, '1')
})

test('History never reports ranks above all that joined as lost: the HPA or a quota may hold them back', () => {
  const history = new History(DEFAULT_PATIENCE)
  const reading = { online: '0-3', published: 12 }
  assert.equal(observe(history, { at: 0, ...reading }, { at: 10 * JOIN, ...reading }).lost, '')
})

test('History also reports the highest rank as lost if it was live and its size is still published', () => {
  const history = new History(DEFAULT_PATIENCE)
  observe(history, { at: 0, online: '0-5', published: 6 }, { at: 1, online: '0-4', published: 6 })
  assert.equal(observe(history, { at: JOIN, online: '0-4', published: 6 }).lost, '')
  assert.equal(observe(history, { at: JOIN + 1, online: '0-4', published: 6 }).lost, '5')
})

test('History does not report ranks as lost that left when the MiniCluster shrank, also not when it grows again', () => {
  const history = new History(DEFAULT_PATIENCE)
  observe(
    history,
    { at: 0, online: '0-5', published: 6 },
    { at: 1, online: '0-5', published: 3 },
    { at: 2, online: '0-2', published: 3 },
    { at: 3, online: '0-2', published: 6 },
  )
  assert.equal(observe(history, { at: 3 + 10 * JOIN, online: '0-2', published: 6 }).lost, '')
})

test('History without ranks remembers none', () => {
  assert.deepEqual(observe(new History(DEFAULT_PATIENCE), { at: 0, online: '' }), {
    recent: '',
    lost: '',
  })
})

test('History uses the times that it was given', () => {
  const history = new History({ idleGraceMs: 0, joinTimeoutMs: 5 })
  assert.equal(observe(history, { at: 0, online: '0-3' }).recent, '')
  observe(history, { at: 1, online: '0,2-3' })
  assert.equal(observe(history, { at: 6, online: '0,2-3' }).lost, '1')
})

test('History holds the size of each purpose separately, also after a restart', () => {
  const history = new History(DEFAULT_PATIENCE)
  assert.equal(history.hold('', 0, 8), 8)
  assert.equal(history.hold('batch', 0, 3), 3)
  history.restart()
  assert.equal(history.hold('', 1, 2), 8)
  assert.equal(history.hold('batch', 1, 2), 3)
  // A size counts as wanted until the reading after the last one that wanted it.
  assert.equal(history.hold('', GRACE, 2), 8)
  assert.equal(history.hold('', GRACE + 1, 2), 2)
})

test('History holds no size over a long gap between readings', () => {
  const history = new History(DEFAULT_PATIENCE)
  assert.equal(history.hold('', 0, 8), 8)
  assert.equal(history.hold('', 30_000, 2), 8)
  assert.equal(history.hold('', 30_000 + GRACE - 1, 2), 8)
  assert.equal(history.hold('', 30_000 + GRACE, 2), 2)
  assert.equal(history.hold('', 200_000, 9), 9)
  // An hour later it is not known whether the job still waits.
  assert.equal(history.hold('', 3_800_000, 2), 2)
})

test('History holds a size over the gap that it was given, and no longer', () => {
  for (const maxGapMs of [5_000, 45_000]) {
    const history = new History({ ...DEFAULT_PATIENCE, maxGapMs })
    assert.equal(history.hold('', 0, 8), 8)
    history.hold('', maxGapMs, 2)
    assert.equal(history.hold('', maxGapMs + GRACE - 1, 2), 8)
    const other = new History({ ...DEFAULT_PATIENCE, maxGapMs })
    assert.equal(other.hold('', 0, 8), 8)
    other.hold('', maxGapMs + 1, 2)
    assert.equal(other.hold('', GRACE, 2), 2)
  }
})

test('History holds a size though readings are slow: until the next began, not until it ended', () => {
  const history = new History({ ...DEFAULT_PATIENCE, maxGapMs: 30_000 })
  const slow = (now: number, tookMs: number, size: number) => {
    const ranks = { live: parseIdset('0'), allocated: parseIdset('') }
    history.observe(now, { ranks, offline: parseIdset(''), tookMs }, 0)
    return history.hold('', now, size)
  }
  assert.equal(slow(0, 9_000, 8), 8)
  assert.equal(slow(39_000, 9_000, 2), 8)
  assert.equal(slow(39_000 + GRACE - 1, 9_000, 2), 8)
})

test('History reports for any readings only live ranks with nothing allocated as recent, and only offline ones as lost', () => {
  const arbitraryReadings = fc.array(
    fc.record({
      pause: fc.nat(JOIN),
      online: arbitraryIds,
      busy: arbitraryIds,
      published: fc.nat(60),
    }),
    { minLength: 1, maxLength: 20 },
  )
  fc.assert(
    fc.property(arbitraryReadings, (readings) => {
      const history = new History(DEFAULT_PATIENCE)
      let now = 0
      for (const { pause, online: ids, busy, published } of readings) {
        now += pause
        const live = parseIdset(idsToText(ids))
        const allocated = intersectIdsets(live, parseIdset(idsToText(busy)))
        const offline = subtractIdsets(parseIdset('0-63'), live)
        const { recent, lost } = history.observe(
          now,
          { ranks: { live, allocated }, offline },
          published,
        )
        assert.ok(isEmpty(subtractIdsets(recent, subtractIdsets(live, allocated))))
        assert.ok(isEmpty(subtractIdsets(lost, offline)))
      }
    }),
  )
})

test('SlidingMaximum returns the largest value of the window, without the end of the window', () => {
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
  for (const [at, value, expected] of steps) {
    assert.equal(largest.add(at, value), expected, `at ${at}`)
  }
})

test('SlidingMaximum returns the same as a search of all values', () => {
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
