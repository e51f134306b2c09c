// What must hold of sizes whatever goes wrong: in the readings of random streams of jobs, other ones for each kind of fault.
// SAFETY_SEED draws others, TEST_RUNS more.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isEmpty, subtractIdsets } from '#flux/sets/idset.ts'
import { BUILTIN_METRICS } from '#metrics/catalog.ts'
import { canStart, type Facts } from '#reading/facts.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { arbitraryStream, runStream, type Stream, streams } from '../support/arbitrary-streams.ts'

const STREAMS = streams(1_000)

/** Readings that are compared from the fault on. */
const COMPARED = 30

/** Metrics that an HPA may be given and that are no sums over what waits: with them a list that is cut is an upper bound. */
const SIZES = [
  'node_desired_count',
  'node_desired_compensated_count',
  'node_floor_count',
  'node_demand_count',
] as const

/** What each metric says; errors are `undefined`. */
function valuesOf(snapshot: Snapshot): ReadonlyMap<string, number | undefined> {
  return new Map(
    BUILTIN_METRICS.filter(({ isTimeDependent }) => isTimeDependent !== true).map((metric) => {
      const value = metric.value(snapshot, {})
      return [metric.name, typeof value === 'number' ? value : undefined]
    }),
  )
}

/** The readings of a stream up to some way behind the fault; outages have no place in it. */
function readingsOf(stream: Stream, faultAt: number): readonly Facts[] {
  const readings: Facts[] = []
  const options = {
    ...stream.options,
    outages: [],
    onFacts: (facts: Facts) => readings.push(facts),
  }
  runStream({ ...stream, options }, () => readings.length < faultAt + COMPARED)
  return readings
}

/** A rank that comes again is another pod: what its predecessor did, seen or not, is no matter. */
function untilPodComes(readings: readonly Facts[], from: number): readonly Facts[] {
  const absent = readings[from]?.offline
  const end = readings.findIndex(
    ({ offline }, index) =>
      index > from && absent !== undefined && !isEmpty(subtractIdsets(absent, offline)),
  )
  return end < 0 ? readings : readings.slice(0, end)
}

function makerOf({ options }: Stream): SnapshotMaker {
  return new SnapshotMaker(options.snapshots)
}

function draw(maker: SnapshotMaker, facts: Facts): Snapshot {
  return maker.make(facts, facts.takenAt.getTime()).snapshot
}

/** Runs a stream twice: as it is, and with `fault` before or in the reading of a number. */
function compare(
  { stream, faultAt }: { readonly stream: Stream; readonly faultAt: number },
  fault: (maker: SnapshotMaker, facts: Facts) => Facts,
): readonly (readonly [sound: Snapshot, faulty: Snapshot])[] {
  const sound = makerOf(stream)
  const faulty = makerOf(stream)
  const pairs = readingsOf(stream, faultAt).map((facts, index) => {
    const changed = index === faultAt ? fault(faulty, facts) : facts
    return [draw(sound, facts), draw(faulty, changed)] as const
  })
  return pairs.slice(faultAt)
}

const arbitraryFault = fc.record({
  stream: arbitraryStream(undefined),
  faultAt: fc.integer({ min: 1, max: 120 }),
})

describe('a single fault', () => {
  it('a connection that is lost and made again lowers no floor: what was released unseen is not', () => {
    const property = fc.property(arbitraryFault, fc.nat(10), ({ stream, faultAt }, missed) => {
      const sound = makerOf(stream)
      const faulty = makerOf(stream)
      const backAt = faultAt + missed
      const readings = untilPodComes(readingsOf(stream, faultAt), backAt)
      for (const [index, facts] of readings.entries()) {
        const expected = draw(sound, facts)
        if (index >= faultAt && index < backAt) continue
        if (index === backAt) faulty.restart()
        const actual = draw(faulty, facts)
        assert.ok(floorIn(actual) >= floorIn(expected), `after ${missed} unseen readings`)
        // Sizes that were wanted unseen were never published.
        if (missed === 0) assert.ok((sizeIn(actual) ?? 0) >= (sizeIn(expected) ?? 0))
      }
    })
    fc.assert(property, STREAMS)
  })

  it('a list that is cut lowers no metric: it is an upper bound, or an error', () => {
    let cuts = 0
    const property = fc.property(arbitraryFault, fc.nat(3), (drawn, kept) => {
      const pairs = compare(drawn, (_, facts) => {
        const { waiting } = facts
        if (waiting.kind === 'unknown' || waiting.jobs.length <= kept) return facts
        cuts += 1
        const lacksStartable = waiting.jobs.slice(kept).some(canStart)
        const jobs = waiting.jobs.slice(0, kept)
        return { ...facts, waiting: { ...waiting, jobs, lacksStartable } }
      })
      for (const [sound, faulty] of pairs) {
        const [before, after] = [valuesOf(sound), valuesOf(faulty)]
        for (const [name, value = Number.POSITIVE_INFINITY] of after) {
          assert.ok(value >= (before.get(name) ?? 0), name)
        }
        for (const name of SIZES) assert.notEqual(after.get(name), undefined, name)
      }
    })
    fc.assert(property, STREAMS)
    assert.ok(cuts > 0)
  })

  it('a reading that fails, or in which jobs are hidden, lowers nothing that was published', () => {
    const property = fc.property(arbitraryFault, fc.boolean(), ({ stream, faultAt }, isHidden) => {
      const readings = readingsOf(stream, faultAt)
      const [last, failing, next] = readings.slice(faultAt - 1)
      if (last === undefined || failing === undefined || next === undefined) return
      const sound = makerOf(stream)
      const faulty = makerOf(stream)
      for (const facts of readings.slice(0, faultAt - 1)) {
        draw(sound, facts)
        draw(faulty, facts)
      }
      draw(sound, last)
      const published = sizeIn(draw(faulty, last)) ?? 0
      draw(sound, failing)
      if (isHidden) assert.equal(sizeIn(draw(faulty, hidden(failing))), undefined)
      const [without, withFault] = [sizeIn(draw(sound, next)) ?? 0, sizeIn(draw(faulty, next)) ?? 0]
      // A peak that nobody saw was never published.
      assert.ok(withFault >= Math.min(published, without), `${withFault} after ${published}`)
    })
    fc.assert(property, STREAMS)
  })

  it('a queue in which nothing happens gives a size that only falls, and soon not any more', () => {
    const property = fc.property(arbitraryFault, ({ stream, faultAt }) => {
      const readings = readingsOf(stream, faultAt)
      // Ranks that are given up meanwhile are replaced by others, and for a job that is never started more are tried.
      const forLong = { joinTimeoutMs: 3_600_000, startTimeoutMs: 3_600_000 }
      const patience = { ...stream.options.snapshots.patience, ...forLong }
      const maker = new SnapshotMaker({ ...stream.options.snapshots, patience })
      for (const facts of readings) draw(maker, facts)
      const facts = readings.at(-1)
      assert.ok(facts !== undefined)
      const { idleGraceMs = 0 } = stream.options.snapshots.patience ?? {}
      const startAt = facts.takenAt.getTime()
      let last = sizeIn(maker.make(facts, startAt).snapshot) ?? 0
      for (let afterMs = 1_000; afterMs <= 300_000; afterMs += 7_000) {
        const size = sizeIn(maker.make(facts, startAt + afterMs).snapshot)
        assert.ok(size !== undefined && size <= last, `${size} after ${last}`)
        // What was released a moment ago counts for the grace, and what was published for that, for the grace.
        if (afterMs > 2 * idleGraceMs + 7_000) assert.equal(size, last)
        last = size
      }
    })
    fc.assert(property, STREAMS)
  })
})

function floorIn(snapshot: Snapshot): number {
  return valuesOf(snapshot).get('node_floor_count') ?? 0
}

function sizeIn(snapshot: Snapshot): number | undefined {
  return valuesOf(snapshot).get('node_desired_count')
}

function hidden(facts: Facts): Facts {
  const withheld = { kind: 'unknown', reason: 'Flux hides jobs from the sidecar' } as const
  return { ...facts, jobs: withheld, waiting: withheld, queues: new Map() }
}
