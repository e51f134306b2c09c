// From readings to snapshots: what is held back for a while, what is remembered, and what is drained.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Drain } from '#flux/calls/resource-calls.ts'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import type { Facts } from '#reading/facts.ts'
import { unknown } from '#reading/unknown.ts'
import { DECISION_MS, RACE_MS } from '#scaling/drains/published-sizes.ts'
import { SETTLE_MS } from '#scaling/drains/unsettled-ranks.ts'
import { DEFAULT_PATIENCE } from '#scaling/history.ts'
import { type MadeSnapshot, SnapshotMaker } from '#scaling/snapshot-maker.ts'
import { factsOf, ranksWith } from '../support/snapshots.ts'
import { waitingFor, waitingJob, wholeNodes } from '../support/waiting.ts'

const GRACE = DEFAULT_PATIENCE.idleGraceMs
const JOIN = DEFAULT_PATIENCE.joinTimeoutMs

/** How long a reading takes. */
const { tookMs: TOOK_MS } = factsOf()

const NO_DRAINS = { drains: undefined }
const DRAINS = { drains: { instance: 'flux-sample' } }

/** A reading of 16 ranks of 8 cores: so many are up, and these hold jobs. */
function reading(size: number, busy: string, changes: Partial<Facts> = {}): Facts {
  return factsOf({
    allocated: ranksWith(busy, { cores: '0-7' }),
    offline: parseIdset(size === 16 ? '' : size === 15 ? '15' : `${size}-15`),
    ...changes,
  })
}

/** The size that is published, or why there is none. */
function publishedBy({ snapshot }: MadeSnapshot): number | string {
  const { wanted, drained } = snapshot.sizes
  return wanted.kind === 'unknown' ? wanted.reason : (drained ?? wanted.whole)
}

/** A snapshot maker that has seen the first reading's grace pass. */
function settled(options: ConstructorParameters<typeof SnapshotMaker>[0], facts: Facts) {
  const snapshots = new SnapshotMaker(options)
  snapshots.make(facts, -2 * GRACE)
  snapshots.make(facts, -GRACE)
  return snapshots
}

test('a snapshot is what was read and what follows, frozen', () => {
  const facts = reading(4, '0-1')
  const { snapshot, drains } = new SnapshotMaker(NO_DRAINS).make(facts, 0)
  assert.ok(Object.isFrozen(snapshot))
  for (const [name, value] of Object.entries(facts)) {
    assert.equal(Object.entries(snapshot).find(([key]) => key === name)?.[1], value, name)
  }
  assert.equal(formatIdset(snapshot.recent), '2-3')
  assert.equal(drains, undefined)
  assert.equal(snapshot.sizes.drained, undefined)
})

test('before the first drains are made no size is published', () => {
  const first = new SnapshotMaker(DRAINS).make(reading(8, '2'), 0)
  assert.match(`${publishedBy(first)}`, /^the sidecar has just started and drains/)
})

test('the first reading keeps all that is there for the grace', () => {
  const snapshots = new SnapshotMaker(NO_DRAINS)
  assert.equal(publishedBy(snapshots.make(reading(8, '2'), 0)), 8)
  assert.equal(publishedBy(snapshots.make(reading(8, '2'), GRACE - 1)), 8)
  assert.equal(publishedBy(snapshots.make(reading(8, '2'), GRACE)), 3)
})

test('so does the first after a new connection', () => {
  const snapshots = settled(NO_DRAINS, reading(8, ''))
  assert.equal(publishedBy(snapshots.make(reading(8, ''), 0)), 1)
  snapshots.restart()
  assert.equal(publishedBy(snapshots.make(reading(8, ''), 1)), 8)
})

test('example 3: a job on rank 9 keeps ten nodes, and for the grace after its end', () => {
  const snapshots = settled(NO_DRAINS, reading(12, '9'))
  assert.equal(publishedBy(snapshots.make(reading(12, '9'), 0)), 10)
  assert.equal(publishedBy(snapshots.make(reading(12, ''), 1)), 10)
  assert.equal(publishedBy(snapshots.make(reading(12, ''), GRACE)), 10)
  assert.equal(publishedBy(snapshots.make(reading(12, ''), 1 + GRACE)), 1)
})

test('a size that is wanted no more is published for the grace', () => {
  const snapshots = settled(NO_DRAINS, reading(4, ''))
  const asking = reading(4, '', { waiting: waitingFor(wholeNodes(9)) })
  assert.equal(publishedBy(snapshots.make(asking, 0)), 9)
  assert.equal(publishedBy(snapshots.make(reading(4, ''), 1)), 9)
  assert.equal(publishedBy(snapshots.make(reading(4, ''), GRACE)), 9)
  assert.equal(publishedBy(snapshots.make(reading(4, ''), GRACE + 1)), 1)
})

test('a job that starts where it was placed changes nothing', () => {
  const snapshots = settled(NO_DRAINS, reading(4, ''))
  const sizes = [
    snapshots.make(reading(4, '', { waiting: waitingFor(wholeNodes(6)) }), 0),
    snapshots.make(reading(6, '', { waiting: waitingFor(wholeNodes(6)) }), 5_000),
    snapshots.make(reading(6, '0-5'), 10_000),
    snapshots.make(reading(6, '0-5'), 10_000 + 2 * GRACE),
  ].map(publishedBy)
  assert.deepEqual(sizes, [6, 6, 6, 6])
})

test('a rank of which Flux knows a job, but whose pod is gone, is not waited for', () => {
  const snapshots = settled(NO_DRAINS, reading(4, '0'))
  const made = snapshots.make(reading(4, '0,9'), 0)
  assert.equal(publishedBy(made), 1)
})

test('ranks that have only come hold no size', () => {
  const snapshots = settled(NO_DRAINS, reading(4, '0'))
  assert.equal(publishedBy(snapshots.make(reading(4, '0'), 0)), 1)
  assert.equal(publishedBy(snapshots.make(reading(8, '0'), 1)), 1)
})

test('a completed index is counted around when it has not come for long', () => {
  const waiting = waitingFor(wholeNodes(6))
  const without = { waiting, offline: parseIdset('2,6-15') }
  const snapshots = settled(NO_DRAINS, reading(6, ''))
  assert.equal(publishedBy(snapshots.make(reading(6, '', without), 0)), 6)
  assert.equal(publishedBy(snapshots.make(reading(6, '', without), JOIN - 1)), 6)
  const made = snapshots.make(reading(6, '', without), JOIN)
  assert.equal(publishedBy(made), 7)
  assert.equal(formatIdset(made.snapshot.lost), '2')
})

test('the highest index is counted around, too, if it has completed', () => {
  const waiting = waitingFor(wholeNodes(6))
  const snapshots = new SnapshotMaker(NO_DRAINS)
  snapshots.make(reading(6, '', { waiting }), 0)
  assert.equal(publishedBy(snapshots.make(reading(5, '', { waiting }), 1)), 6)
  assert.equal(publishedBy(snapshots.make(reading(5, '', { waiting }), 1 + JOIN)), 7)
  assert.equal(publishedBy(snapshots.make(reading(5, '', { waiting }), 1 + 2 * JOIN)), 7)
})

/** Ways in which pods do not come, and a queue that goes on asking: no size may come of it but the one. */
const STUCK: readonly (readonly [
  what: string,
  size: number,
  changes: Partial<Facts>,
  published: number,
])[] = [
  ['the HPA lets no more come', 4, { waiting: waitingFor(wholeNodes(12)) }, 12],
  [
    'the HPA lets no more come, and a job runs',
    8,
    { waiting: waitingFor(wholeNodes(12)), allocated: ranksWith('0', { cores: '0-7' }) },
    13,
  ],
  [
    'all of R is wanted',
    8,
    { waiting: waitingFor(...Array.from({ length: 40 }, () => wholeNodes(1))) },
    16,
  ],
  [
    'all of R is needed, and an index has completed',
    8,
    { waiting: waitingFor(wholeNodes(16)), offline: parseIdset('3,8-15') },
    16,
  ],
]

for (const [what, size, changes, published] of STUCK) {
  test(`a constant queue gives a constant size, for hours, where ${what}`, () => {
    const snapshots = settled(NO_DRAINS, reading(size, '', changes))
    const sizes = Array.from({ length: 200 }, (_, index) =>
      publishedBy(snapshots.make(reading(size, '', changes), index * 60_000)),
    )
    assert.deepEqual(new Set(sizes), new Set([published]))
  })
}

test('drained and torpid ranks are counted around, whoever drained them, without drains of ours', () => {
  const waiting = waitingFor(wholeNodes(6))
  const reasons = ['maintenance', 'flux-metrics/flux-sample: scale-down to 1']
  for (const reason of reasons) {
    const drains = [{ ranks: parseIdset('2'), reason, drainedAt: 0 }]
    const torpid = parseIdset('3')
    const snapshots = settled(NO_DRAINS, reading(6, '', { drains, torpid }))
    assert.equal(publishedBy(snapshots.make(reading(6, '', { waiting, drains, torpid }), 0)), 8)
  }
})

test('ranks that we drained are given to pending jobs', () => {
  const own = [
    { ranks: parseIdset('2-3'), reason: 'flux-metrics/flux-sample: scale-down to 2', drainedAt: 0 },
  ]
  const snapshots = settled(DRAINS, reading(4, '', { drains: own }))
  const waiting = waitingFor(wholeNodes(4))
  const { snapshot, drains } = snapshots.make(reading(4, '', { drains: own, waiting }), RACE_MS)
  assert.equal(snapshot.demand.kind === 'known' && formatIdset(snapshot.demand.whole.placed), '0-3')
  assert.equal(formatIdset(snapshot.ranks.ownDrained), '2-3')
  assert.equal(drains?.size, 4)
})

for (const [what, isSeen, undrained] of [
  ['was seen absent is given back before its pod comes', true, '4-7'],
  ['may have come and gone unseen waits for the race', false, ''],
] as const) {
  test(`with drains, a rank that ${what}`, () => {
    const drains = [
      {
        ranks: parseIdset('4-15'),
        reason: 'flux-metrics/flux-sample: scale-down to 4',
        drainedAt: 0,
      },
    ]
    const snapshots = settled(DRAINS, reading(4, '', { drains }))
    const waiting = waitingFor(wholeNodes(8))
    for (const now of [RACE_MS, RACE_MS + DECISION_MS / 2]) {
      snapshots.make(reading(4, '', { drains, waiting }), now)
    }
    if (!isSeen) snapshots.restart()
    const now = RACE_MS + DECISION_MS + TOOK_MS
    const made = snapshots.make(reading(4, '', { drains, waiting }), now)
    assert.equal(made.drains && formatIdset(made.drains.undrain), undrained)
  })
}

test('a rank of a running job is busy, also if Flux does not show it as allocated', () => {
  const facts = reading(8, '0-1', { running: parseIdset('5') })
  const { snapshot } = new SnapshotMaker(NO_DRAINS).make(facts, 0)
  assert.equal(formatIdset(snapshot.ranks.allocated), '0-1,5')
})

test('ranks that others drained are theirs with drains, too', () => {
  const drains = [
    { ranks: parseIdset('2'), reason: 'maintenance', drainedAt: 0 },
    { ranks: parseIdset('3'), reason: 'flux-metrics/another: scale-down to 1', drainedAt: 0 },
  ]
  const waiting = waitingFor(wholeNodes(4))
  const snapshots = settled(DRAINS, reading(4, '', { drains, waiting }))
  const { snapshot } = snapshots.make(reading(4, '', { drains, waiting }), 0)
  assert.equal(formatIdset(snapshot.ranks.ownDrained), '')
  assert.equal(snapshot.sizes.drained, 6)
})

/** A snapshot maker with drains, and what Flux says after each plan was carried out. */
class Drained {
  readonly #snapshots: SnapshotMaker
  #drains: readonly Drain[] = []

  constructor(facts: Facts) {
    this.#snapshots = settled(DRAINS, facts)
  }

  draw(facts: Facts, now: number): MadeSnapshot {
    const made = this.#snapshots.make({ ...facts, drains: this.#drains }, now)
    const { drain, preparing } = made.drains ?? {}
    if (drain !== undefined && preparing !== undefined && drain.ranges.length > 0) {
      const reason = `flux-metrics/flux-sample: scale-down to ${preparing}`
      this.#drains = [...this.#drains, { ranks: drain, reason, drainedAt: 0 }]
    }
    return made
  }
}

test('with drains, a size falls when its ranks are drained', () => {
  const drained = new Drained(reading(8, '0-7'))
  assert.equal(publishedBy(drained.draw(reading(8, '0-7'), 0)), 8)
  assert.equal(publishedBy(drained.draw(reading(8, '0-3'), 1)), 8)
  const made = drained.draw(reading(8, '0-3'), 1 + GRACE)
  assert.equal(publishedBy(made), 8)
  assert.equal(formatIdset(made.drains?.drain ?? parseIdset('')), '4-7')
  assert.equal(made.drains?.preparing, 4)
  assert.equal(made.drains?.lookAt, 1 + GRACE + 250)
  const settling = drained.draw(reading(8, '0-3'), 2 + GRACE)
  assert.equal(publishedBy(settling), 8, 'not settled yet')
  assert.equal(settling.drains?.lookAt, 1 + GRACE + SETTLE_MS)
  const { snapshot } = drained.draw(reading(8, '0-3'), 1 + GRACE + SETTLE_MS + TOOK_MS)
  assert.deepEqual(snapshot.sizes, {
    wanted: {
      kind: 'known',
      whole: 4,
      queues: new Map([
        ['batch', 4],
        ['debug', 4],
      ]),
    },
    drained: 4,
  })
  assert.equal(formatIdset(snapshot.ranks.ownDrained), '4-7')
})

test('with drains, ranks that never came hold no size when they are drained', () => {
  const asking = { waiting: waitingFor(wholeNodes(8)) }
  const drained = new Drained(reading(6, '', asking))
  assert.equal(publishedBy(drained.draw(reading(6, '', asking), 0)), 8)
  assert.equal(publishedBy(drained.draw(reading(6, '0-3'), 1)), 8)
  const made = drained.draw(reading(6, '0-3'), 1 + GRACE)
  assert.equal(publishedBy(made), 8)
  assert.equal(formatIdset(made.drains?.drain ?? parseIdset('')), '4-7')
  assert.equal(publishedBy(drained.draw(reading(6, '0-3'), 1 + GRACE + SETTLE_MS + TOOK_MS)), 4)
})

test('with drains, a rank that Flux drained as well stays drained: its pod is smaller than R says', () => {
  const ours = { reason: 'flux-metrics/flux-sample: scale-down to 2', drainedAt: 0 }
  const facts = reading(4, '0-1', {
    drains: [{ ranks: parseIdset('2-3'), ...ours }],
    waiting: waitingFor(wholeNodes(3)),
  })
  const snapshots = settled(DRAINS, facts)
  const reason = 'rank 3: missing resources: core[4-7]'
  const event = { kind: 'drain', ranks: parseIdset('3'), reason, overwrites: false } as const
  snapshots.noteDrains({ events: [event], isPast: true })
  const { snapshot, drains } = snapshots.make(facts, 0)
  assert.equal(formatIdset(drains?.undrain ?? parseIdset('')), '2')
  assert.equal(formatIdset(snapshot.ranks.ownDrained), '2')
  assert.deepEqual(
    snapshot.drains.map(({ ranks, reason: why }) => [formatIdset(ranks), why]),
    [
      ['2', ours.reason],
      ['3', reason],
    ],
  )
  assert.equal(publishedBy({ snapshot, drains }), 6)
})

test('with drains, nothing is drained or given back while nobody knows what is wanted', () => {
  const all = ranksWith('0-15', { cores: '0-7', gpus: '0' })
  const snapshots = settled(DRAINS, reading(8, '', { all }))
  const waiting = { ...waitingFor(waitingJob()), unknownRequests: unknown('GPUs are not told') }
  const { snapshot, drains } = snapshots.make(reading(8, '', { all, waiting }), 0)
  assert.equal(drains, undefined)
  assert.deepEqual(snapshot.sizes, {
    wanted: { kind: 'unknown', reason: 'GPUs are not told' },
    drained: 8,
  })
})

test('no size is known where Flux hides jobs, and what it was before is held when it shows them', () => {
  const snapshots = settled(NO_DRAINS, reading(8, ''))
  const waiting = waitingFor(wholeNodes(12))
  assert.equal(publishedBy(snapshots.make(reading(8, '', { waiting }), 0)), 12)
  const hidden = reading(8, '', { waiting: { kind: 'unknown', reason: 'Flux hides jobs' } })
  const made = snapshots.make(hidden, 1)
  assert.equal(publishedBy(made), 'Flux hides jobs')
  assert.deepEqual(made.snapshot.demand, { kind: 'unknown', reason: 'Flux hides jobs' })
  assert.equal(publishedBy(snapshots.make(reading(8, ''), 2)), 12)
})

test('patience is as configured', () => {
  const snapshots = new SnapshotMaker({ ...NO_DRAINS, patience: { idleGraceMs: 5 } })
  snapshots.make(reading(8, ''), 0)
  assert.equal(publishedBy(snapshots.make(reading(8, ''), 4)), 8)
  assert.equal(publishedBy(snapshots.make(reading(8, ''), 5)), 1)
})

const FORMER = [
  { ranks: parseIdset('4-9'), reason: 'flux-metrics/flux-sample: scale-down to 4', drainedAt: 0 },
]

test('without drains, what is left of them is lifted after the race, and its size is held for the grace', () => {
  const options = { drains: undefined, formerDrains: DRAINS.drains }
  const snapshots = settled(options, reading(7, ''))
  const left = reading(7, '', { drains: FORMER })
  assert.equal(publishedBy(snapshots.make(left, 0)), 1, 'as guest')
  assert.ok(snapshots.leavesDrains(left))
  snapshots.liftFormerDrains()
  assert.ok(!snapshots.leavesDrains(left))
  const first = snapshots.make(left, 1)
  assert.equal(publishedBy(first), 7)
  assert.equal(formatIdset(first.snapshot.ranks.ownDrained), '4-9')
  assert.equal(formatIdset(first.drains?.undrain ?? parseIdset('0')), '')
  const { takenAt, tookMs } = left
  assert.deepEqual(first.snapshot.heldDrains, [
    {
      ranks: parseIdset('4-9'),
      because: 'former',
      until: new Date(takenAt.getTime() + tookMs + RACE_MS),
    },
  ])
  const last = snapshots.make(left, 1 + RACE_MS)
  assert.equal(formatIdset(last.drains?.undrain ?? parseIdset('0')), '4-9')
  assert.equal(publishedBy(snapshots.make(reading(7, ''), RACE_MS + GRACE)), 7)
  assert.equal(publishedBy(snapshots.make(reading(7, ''), 1 + RACE_MS + 2 * GRACE)), 1)
})

test('drains of others are not left of ours, and with drains nothing is', () => {
  const options = { drains: undefined, formerDrains: { instance: 'another' } }
  assert.ok(!new SnapshotMaker(options).leavesDrains({ drains: FORMER }))
  assert.ok(
    !new SnapshotMaker({ ...DRAINS, formerDrains: DRAINS.drains }).leavesDrains({ drains: FORMER }),
  )
  assert.ok(!new SnapshotMaker(NO_DRAINS).leavesDrains({ drains: FORMER }))
})

const arbitraryReading = fc.record({
  size: fc.integer({ min: 1, max: 16 }),
  busy: fc.constantFrom('', '0', '0-3', '2,9'),
  jobs: fc.array(
    fc.oneof(
      fc.nat(8).map((nodes) => wholeNodes(nodes)),
      fc.nat(40).map((cores) => waitingJob({ ncores: cores, ntasks: cores, queue: 'batch' })),
      fc.constant(waitingJob({ request: unknown('of a shape that is not known') })),
    ),
    { maxLength: 200 },
  ),
})

test('makeInTurns makes the same snapshots and plans as make', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(arbitraryReading, fc.nat(GRACE)), { minLength: 1, maxLength: 5 }),
      fc.constantFrom(NO_DRAINS, DRAINS),
      async (readings, options) => {
        const [atOnce, inTurns] = [new SnapshotMaker(options), new SnapshotMaker(options)]
        let now = 0
        for (const [{ size, busy, jobs }, pause] of readings) {
          now += pause
          const facts = reading(size, busy, { waiting: waitingFor(...jobs) })
          const made = atOnce.make(facts, now)
          assert.deepEqual(await inTurns.makeInTurns(facts, () => now), made)
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('a rank is absent until the reading that shows it, however long it takes to work out what follows', async () => {
  const waiting = waitingFor(wholeNodes(10))
  const drains = FORMER.map((drain) => ({ ...drain, ranks: parseIdset('4-15') }))
  const left = reading(4, '', { drains, waiting })
  const snapshots = new SnapshotMaker(DRAINS)
  /** What is undrained after a reading that ends at one time, and is worked out at another. */
  const undrained = async (readAt: number, madeAt: number) => {
    const times = [readAt, madeAt]
    const made = await snapshots.makeInTurns(left, () => times.shift() ?? madeAt)
    return made.drains && formatIdset(made.drains.undrain)
  }
  assert.equal(await undrained(0, 0), '')
  // A pod that joins after this reading, and before what follows is worked out, may be one that is being ended.
  assert.equal(await undrained(DECISION_MS - 1, DECISION_MS + 500), '')
  const endAt = DECISION_MS + left.tookMs
  assert.equal(await undrained(endAt, endAt + 500), '4-9')
})
