// Ranks of other clusters (bursting): they are not part of the size, never drained, and jobs there are no demand for our pods.
// Where a rank is not the pod of its index, there is no size.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { countIds, formatIdset, intersectIdsets, parseIdset } from '#flux/sets/idset.ts'
import { METRICS } from '#metrics/catalog.ts'
import type { Facts, WaitingJob } from '#reading/facts.ts'
import { ALL_PODS } from '#reading/ranks/pod-ranks.ts'
import { unknown } from '#reading/unknown.ts'
import { drainReason } from '#scaling/drain-reason.ts'
import { ranksIn } from '#scaling/ranks.ts'
import { publishedSize } from '#scaling/sizes.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { SnapshotMaker } from '#scaling/snapshot-maker.ts'
import {
  arbitraryStream,
  lossesByResize,
  runStream,
  type Stream,
  streams,
} from '../support/arbitrary-streams.ts'
import { factsOf, ranksWith, snapshotOf } from '../support/snapshots.ts'
import { requestFor, waiting, waitingJob, wholeNodes } from '../support/waiting.ts'

const BURSTED = { ...ALL_PODS, bursted: parseIdset('4-7'), burstedHosts: ['burst-0-0'] }

interface Reading {
  /** Ranks with all cores allocated. */
  readonly busy: string
  readonly offline?: string
  readonly jobs?: readonly WaitingJob[]
  readonly changes?: Partial<Facts>
}

/** Ranks 0 to 3 are ours, of which two are up; ranks 4 to 7 are of another cluster. Each has 8 cores. */
function reading({ busy, offline = '2-3', jobs = [], changes = {} }: Reading): Partial<Facts> {
  return {
    all: ranksWith('0-7', { cores: '0-7' }),
    allocated: ranksWith(busy, { cores: '0-7' }),
    offline: parseIdset(offline),
    pods: BURSTED,
    queues: new Map(),
    ...waiting(jobs),
    ...changes,
  }
}

function snapshotFor(facts: Reading): Snapshot {
  return snapshotOf(reading(facts))
}

const atRank5 = {
  ways: requestFor({ nodes: 1, slots: 1, cores: 8, gpus: 0, exclusive: false }).ways,
  ranks: parseIdset('5'),
}
const OURS = ranksWith('0-3', { cores: '0-7' })
const LARGE = ranksWith('4-7', { cores: '0-63' })
const unreadable = { request: unknown('its jobspec has a shape of the future'), ncores: undefined }

const SIZES: readonly (Reading & { readonly what: string; readonly desired: number })[] = [
  { what: 'jobs on ranks of another cluster keep no pod', busy: '4-7', desired: 1 },
  { what: 'a job on ranks of both keeps ours', busy: '1,4-7', desired: 2 },
  {
    what: 'a job that fits on open ranks of another cluster needs no pod',
    ...{ busy: '0-1', jobs: [wholeNodes(4)], desired: 2 },
  },
  {
    what: 'a job that fits on open ranks of both needs no more pods',
    ...{ busy: '', jobs: [wholeNodes(6)], desired: 2 },
  },
  {
    what: 'a job that does not fit on what is open grows ours first',
    ...{ busy: '0-1,4', jobs: [wholeNodes(3), wholeNodes(2)], desired: 4 },
  },
  {
    what: 'a job that needs all of ours and some of the others',
    ...{ busy: '7', jobs: [wholeNodes(6)], desired: 4 },
  },
  {
    what: 'a job that waits for ranks of ours only grows as without the others',
    ...{ busy: '0-1,4-7', jobs: [wholeNodes(2)], desired: 4 },
  },
  {
    what: 'a job that needs ranks of the others that are down is not waited for',
    ...{ busy: '', offline: '2-7', jobs: [wholeNodes(5)], desired: 1 },
  },
  {
    what: 'a job that fits on ours does not wait for ranks of the others that are down',
    ...{ busy: '', offline: '2-7', jobs: [wholeNodes(4)], desired: 4 },
  },
  {
    what: 'a job that needs drained ranks of the others is not waited for',
    busy: '',
    jobs: [wholeNodes(5)],
    changes: { drains: [{ ranks: parseIdset('4-7'), reason: 'broken fan', drainedAt: 0 }] },
    desired: 1,
  },
  {
    what: 'a job for busy ranks of another cluster alone is no demand',
    ...{ busy: '4-7', jobs: [waitingJob({ request: atRank5 })], desired: 1 },
  },
  {
    what: 'a job on a rank of another cluster that was excluded keeps no pod',
    ...{ busy: '1,8', changes: { pods: { ...BURSTED, bursted: parseIdset('4-8') } }, desired: 2 },
  },
  {
    what: 'a job of which the needs are not known may be given every rank of ours',
    ...{ busy: '4-7', jobs: [waitingJob(unreadable)], desired: 4 },
  },
  {
    what: 'a job of which only the number of cores is known needs as many of our nodes as it would without larger ones of others',
    ...{ busy: '', offline: '1-7', jobs: [waitingJob({ ncores: 10, ntasks: undefined })] },
    changes: { all: { segments: [...OURS.segments, ...LARGE.segments] } },
    desired: 2,
  },
  {
    what: 'jobs that are not listed may need every rank of ours',
    ...{ busy: '4-7', changes: waiting([], { lacksStartable: true, total: 1 }), desired: 4 },
  },
]

for (const { what, desired, ...facts } of SIZES) {
  test(`with bursting, ${what}`, () => {
    const { demand, sizes, ranks } = snapshotFor(facts)
    assert.equal(publishedSize(sizes), desired)
    assert.ok(demand.kind === 'known')
    assert.equal(demand.maximum, 4)
    assert.equal(countIds(intersectIdsets(demand.whole.placed, ranks.bursted)), 0)
    assert.equal(demand.whole.infeasible, 0)
  })
}

test('a rank of another cluster that has left R is in no set', () => {
  const pods = { ...BURSTED, bursted: parseIdset('4-8') }
  const { ranks } = snapshotFor({ busy: '1,8', changes: { pods } })
  const { bursted, burstedOpen, live, allocated } = ranks
  assert.deepEqual([bursted, burstedOpen, live, allocated].map(formatIdset), [
    '4-7',
    '4-7',
    '0-1',
    '1',
  ])
})

test('with bursting, only a job that is larger than all of R is infeasible', () => {
  const { demand } = snapshotFor({ busy: '', jobs: [wholeNodes(8), wholeNodes(9)] })
  assert.ok(demand.kind === 'known')
  assert.equal(demand.whole.infeasible, 1)
})

test('a guest that knows only the cores of a job counts with nodes of ours, however large the others are', () => {
  const segments = [...ranksWith('0-3', { cores: '0-7' }).segments]
  segments.push(...ranksWith('4-7', { cores: '0-95' }).segments)
  const job = waitingJob({ ncores: 20, ntasks: undefined })
  const changes = { all: { segments } }
  assert.equal(
    publishedSize(snapshotFor({ busy: '', offline: '2-7', jobs: [job], changes }).sizes),
    4,
  )
})

test('ranksIn has ranks of other clusters in none of our sets, and no drain of theirs is ours', () => {
  const drains = [{ ranks: parseIdset('1,5'), reason: drainReason('a/b', 1), drainedAt: 0 }]
  const facts = factsOf(reading({ busy: '1,6', changes: { drains, offline: parseIdset('2,7') } }))
  const texts = Object.entries(ranksIn(facts, 'a/b')).map(([name, ranks]) => [
    name,
    formatIdset(ranks),
  ])
  assert.deepEqual(Object.fromEntries(texts), {
    all: '0-3',
    bursted: '4-7',
    burstedOpen: '4,6',
    live: '0-1,3',
    allocated: '1',
    ownDrained: '1',
    foreignDrained: '5',
    open: '0,3',
  })
})

const WRONG = unknown('rank 1 is on host flux-sample-2, not in pod flux-sample-1')

test('where a rank is not the pod of its index, sizes are errors, and nothing else is', () => {
  const snapshot = snapshotOf({ pods: WRONG, ...waiting([wholeNodes(1)]) })
  const failing = [...METRICS.values()].filter(
    ({ value, name }) => name !== 'job_start_seconds' && value(snapshot, {}) === WRONG,
  )
  assert.deepEqual(
    failing.map(({ name }) => name),
    [
      'node_desired_count',
      'node_desired_compensated_count',
      'node_floor_count',
      'node_demand_count',
      'node_stranded_count',
    ],
  )
  assert.equal(METRICS.get('node_pending_count')?.value(snapshot, {}), 1)
})

test('where a rank is not the pod of its index, nothing is drained', () => {
  const snapshots = new SnapshotMaker({ drains: { instance: 'a/b' }, patience: { idleGraceMs: 0 } })
  for (const now of [0, 1_000, 100_000]) {
    assert.equal(snapshots.make(factsOf({ pods: WRONG }), now).drains, undefined)
  }
  assert.notEqual(snapshots.make(factsOf(), 101_000).drains, undefined)
})

/** Streams of jobs on a MiniCluster that bursts to some more nodes, which are always up. */
function burstingStream(drains: { readonly instance: string } | undefined): fc.Arbitrary<Stream> {
  return fc
    .record({ stream: arbitraryStream(drains), bursted: fc.integer({ min: 1, max: 4 }) })
    .map(({ stream: { options, interventions }, bursted }) => ({
      interventions,
      options: { ...options, instance: { ...options.instance, bursted } },
    }))
}

const RUNS = streams(1_000)

describe('over random streams of jobs on ranks of ours and of another cluster', () => {
  for (const drains of [undefined, { instance: 'flux-sample' }]) {
    test(`no rank of another cluster is counted or drained, ${drains ? 'and no job is lost, with drains' : 'without drains'}`, () => {
      let foreignBusy = 0
      const property = fc.property(burstingStream(drains), (stream) => {
        const { maxSize } = stream.options.instance
        let before: Snapshot | undefined
        const simulation = runStream(stream, ({ published, instance }) => {
          for (const { bursted, drain } of instance.nodes) assert.ok(!bursted || !drain)
          if (published === undefined || published === before) return
          before = published
          const { demand, sizes, nodes } = published
          assert.ok(demand.kind === 'known')
          assert.deepEqual([demand.maximum, nodes.total], [maxSize, maxSize])
          const size = publishedSize(sizes)
          if (typeof size !== 'number') return
          assert.ok(size >= demand.floor && size <= maxSize)
          const busy = instance.nodes.filter(({ allocated }) => allocated)
          foreignBusy += busy.filter(({ rank }) => rank >= size).length
        })
        const lost = lossesByResize(stream, simulation)
        for (const { rank, job, resize } of lost) {
          assert.ok(rank < maxSize)
          assert.ok((job.times.RUN ?? 0) >= (resize?.readAt ?? Number.POSITIVE_INFINITY))
        }
        if (drains !== undefined) assert.deepEqual(lost, [])
      })
      fc.assert(property, RUNS)
      // The sizes do go below ranks of the other cluster that run jobs.
      assert.ok(foreignBusy > RUNS.numRuns)
    })
  }
})
