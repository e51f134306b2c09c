// The sizes that are wanted for a demand, and which sizes an HPA ignores.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import { unknown } from '#reading/unknown.ts'
import type { Demand } from '#scaling/demand.ts'
import { compensatedSize, isWithinTolerance } from '#scaling/hpa-tolerance.ts'
import { NO_DEMAND } from '#scaling/placement/queue-demand.ts'
import { sizeWith } from '#scaling/ranks.ts'
import { clampSize, demandedNodes, publishedSize, wantedSizes } from '#scaling/sizes.ts'
import { arbitraryIds, idsToText } from '../support/arbitraries.ts'
import { runs } from '../support/runs.ts'

function demandOf(changes: Partial<Demand> = {}): Demand {
  return {
    kind: 'known',
    maximum: 16,
    floor: 1,
    busy: parseIdset('0'),
    quorum: 1,
    whole: NO_DEMAND,
    queues: new Map(),
    unknownPlaces: undefined,
    unknownRequests: undefined,
    isListCut: false,
    infeasibleJobs: new Set(),
    places: new Map(),
    unknownNeeds: undefined,
    isPartial: false,
    isCut: false,
    ...changes,
  }
}

function placing(ranks: string) {
  return { ...NO_DEMAND, placed: parseIdset(ranks) }
}

test('publishedSize is the drained size before the wanted one, and none while that is not known', () => {
  const wanted = { kind: 'known', whole: 4, queues: new Map() } as const
  assert.equal(publishedSize({ wanted, drained: undefined }), 4)
  assert.equal(publishedSize({ wanted, drained: 6 }), 6)
  const reason = unknown('no list of jobs')
  assert.equal(publishedSize({ wanted: reason, drained: 6 }), reason)
})

test('wantedSizes has every rank that jobs would be given, the busy ones, and the quorum', () => {
  const at = (changes: Partial<Demand>) => wantedSizes(demandOf(changes), (_, size) => size).whole
  assert.equal(at({}), 1)
  assert.equal(at({ whole: placing('0-3,6') }), 7)
  assert.equal(at({ whole: placing('0-3'), floor: 9 }), 9)
  assert.equal(at({ whole: placing('0-3'), floor: 9, quorum: 12 }), 12)
  assert.equal(at({ quorum: 20 }), 16)
})

test('wantedSizes is all of R for every queue while some pending jobs are not listed', () => {
  const queues = new Map([['batch', placing('0')]])
  const sizes = wantedSizes(demandOf({ isCut: true, queues }), (_, size) => size)
  assert.deepEqual(sizes, { kind: 'known', whole: 16, queues: new Map([['batch', 16]]) })
})

test('wantedSizes holds the size of each purpose, and then keeps it between the floor and R', () => {
  const held = new Map([
    ['', 40],
    ['batch', 2],
    ['debug', 8],
  ])
  const asked: [purpose: string, size: number][] = []
  const sizes = wantedSizes(
    demandOf({
      floor: 5,
      whole: placing('0-2'),
      queues: new Map([
        ['batch', placing('1')],
        ['debug', placing('')],
      ]),
    }),
    (purpose, size) => {
      asked.push([purpose, size])
      return held.get(purpose) ?? size
    },
  )
  assert.deepEqual(asked, [
    ['', 3],
    ['batch', 2],
    ['debug', 0],
  ])
  assert.equal(sizes.whole, 16)
  assert.deepEqual(
    sizes.queues,
    new Map([
      ['batch', 5],
      ['debug', 8],
    ]),
  )
})

test('wantedSizes has the largest size that is tried for jobs that fit and are not started', () => {
  const tried = (queue: string, size: number | undefined) => {
    const seen = { submittedAt: undefined, freeNodes: 1, fits: true, absentNodes: 0 }
    return { id: 1, queue, size, isGrown: true, ...seen }
  }
  const queues = new Map([
    ['batch', NO_DEMAND],
    ['debug', NO_DEMAND],
  ])
  const jobs = [tried('debug', 7), tried('batch', 9), tried('batch', 5), tried('batch', undefined)]
  const sizes = wantedSizes(demandOf({ queues }), (_, size) => size, jobs)
  assert.equal(sizes.whole, 9)
  assert.deepEqual([...sizes.queues.values()], [9, 7])
})

test('clampSize never goes below the floor or the quorum unless R itself is smaller', () => {
  const small = fc.integer({ min: 1, max: 30 })
  fc.assert(
    fc.property(small, small, small, fc.nat(40), (floor, quorum, maximum, size) => {
      const clamped = clampSize(demandOf({ floor, quorum, maximum }), size)
      assert.ok(clamped <= maximum)
      assert.ok(clamped >= Math.min(maximum, Math.max(floor, quorum, size)))
    }),
  )
})

test('demandedNodes counts a rank only once if it holds a job and would be given another', () => {
  const allocated = parseIdset('0-3')
  assert.equal(demandedNodes({ ...placing('3-5'), allocated }), 6)
  assert.equal(demandedNodes(NO_DEMAND), 0)
})

test('sizeWith is the smallest size with the highest rank', () => {
  assert.equal(sizeWith(parseIdset('')), 0)
  fc.assert(
    fc.property(arbitraryIds, (ids) => {
      const size = sizeWith(parseIdset(idsToText(ids)))
      assert.equal(size, Math.max(-1, ...ids) + 1)
      assert.equal(formatIdset(parseIdset(idsToText(ids))), idsToText(ids))
    }),
  )
})

/** Sizes just inside and just outside the tolerance of 0.1, with which an HPA ignores a size. */
const TOLERANCE_CASES = [
  { present: 9, wanted: 10, ignored: false, compensated: 10 },
  { present: 10, wanted: 11, ignored: true, compensated: 12 },
  { present: 10, wanted: 12, ignored: false, compensated: 12 },
  { present: 10, wanted: 9, ignored: true, compensated: 9 },
  { present: 10, wanted: 8, ignored: false, compensated: 8 },
  { present: 20, wanted: 22, ignored: true, compensated: 23 },
  { present: 60, wanted: 61, ignored: true, compensated: 67 },
  { present: 60, wanted: 66, ignored: true, compensated: 67 },
  { present: 60, wanted: 67, ignored: false, compensated: 67 },
  { present: 60, wanted: 54, ignored: true, compensated: 54 },
  { present: 60, wanted: 53, ignored: false, compensated: 53 },
  { present: 10, wanted: 10, ignored: true, compensated: 10 },
  { present: 0, wanted: 1, ignored: false, compensated: 1 },
]

for (const { present, wanted, ignored, compensated } of TOLERANCE_CASES) {
  test(`with ${present} nodes, ${wanted} wanted ones are ${ignored ? 'within' : 'beyond'} the tolerance`, () => {
    assert.equal(isWithinTolerance(wanted, present), ignored)
    assert.equal(compensatedSize(wanted, present), compensated)
  })
}

test('compensatedSize is the smallest growth that is not ignored, and never shrinks', () => {
  const size = fc.integer({ min: 1, max: 10_000 })
  fc.assert(
    fc.property(size, size, (wanted, present) => {
      const compensated = compensatedSize(wanted, present)
      if (wanted <= present) return assert.equal(compensated, wanted)
      assert.ok(compensated >= wanted)
      assert.ok(!isWithinTolerance(compensated, present))
      if (compensated > wanted) assert.ok(isWithinTolerance(compensated - 1, present))
    }),
    { numRuns: runs(1000) },
  )
})
