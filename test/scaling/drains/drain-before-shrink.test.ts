// Drain before shrink as a state machine: what is published, drained and given back, over a Flux that does as it is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { listIds } from '#flux/sets/id-list.ts'
import {
  EMPTY_IDSET,
  formatIdset,
  hasId,
  type Idset,
  intersectIdsets,
  isEmpty,
  parseIdset,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import {
  DrainBeforeShrink,
  type DrainFacts,
  type DrainPlan,
  type DrainState,
  nextState,
} from '#scaling/drains/drain-before-shrink.ts'
import { DECISION_MS, RACE_MS, type Reader } from '#scaling/drains/published-sizes.ts'
import { arbitraryIds, idsToText } from '../../support/arbitraries.ts'
import { runs } from '../../support/runs.ts'

/** A Flux of ten ranks that carries out every plan before the next. */
class Stage {
  live = '0-9'
  own = ''
  foreign = ''
  allocated = ''
  unsettled = ''
  all = '0-9'
  carriesOut = true
  #drains = new DrainBeforeShrink()

  /** The sidecar is made anew. */
  restart(): void {
    this.#drains = new DrainBeforeShrink()
  }

  /** The connection is lost and made again. */
  reconnect(): void {
    this.#drains.restart()
  }

  /** An HPA, or somebody else, reads a size. */
  read(now: number, size: number, reader: Reader = 'hpa'): void {
    this.#drains.read(now, size, reader)
  }

  plan(now: number, target: number): DrainPlan {
    const { live, own, foreign } = this
    const plan = this.#drains.plan(
      now,
      factsOf({
        all: parseIdset(this.all),
        live: parseIdset(live),
        ownDrained: parseIdset(own),
        foreignDrained: parseIdset(foreign),
        allocated: parseIdset(this.allocated),
        unsettled: parseIdset(this.unsettled),
      }),
      target,
    )
    if (!this.carriesOut) return plan
    const left = subtractIdsets(parseIdset(own), plan.undrain)
    this.own = formatIdset(unionIdsets(left, plan.drain))
    return plan
  }

  /** A plan as texts. */
  tell(now: number, target: number): Told {
    const { size, drain, undrain, preparing } = this.plan(now, target)
    return { size, drain: formatIdset(drain), undrain: formatIdset(undrain), preparing }
  }
}

/** What is open follows from the others. */
function factsOf(facts: Omit<DrainFacts, 'open'>): DrainFacts {
  const drained = unionIdsets(facts.ownDrained, facts.foreignDrained)
  return { ...facts, open: subtractIdsets(facts.live, drained) }
}

interface Told {
  readonly size: number | undefined
  readonly drain: string
  readonly undrain: string
  readonly preparing: number | undefined
}

/** A plan that only publishes. */
function published(size: number): Told {
  return { size, drain: '', undrain: '', preparing: undefined }
}

/** A stage that has published 10 for long. */
function steady(changes: Partial<Stage> = {}): Stage {
  const stage = Object.assign(new Stage(), changes)
  assert.deepEqual(stage.tell(-RACE_MS, 10), published(10))
  return stage
}

/** A stage that has published 4 since 0, and of which nobody has taken a pod away. */
function shrunk(): Stage {
  const stage = steady()
  stage.plan(-1, 4)
  assert.deepEqual(stage.tell(0, 4), published(4))
  assert.equal(stage.own, '4-9')
  return stage
}

/** Ten ranks that are live and open; these differ. */
function ranks(changes: Readonly<Record<string, string>>): DrainFacts {
  const texts = { all: '0-9', live: '0-9', ownDrained: '', foreignDrained: '', allocated: '' }
  const { all, live, ownDrained, foreignDrained, allocated, unsettled } = Object.fromEntries(
    Object.entries({ ...texts, unsettled: '', ...changes }).map(([key, ids]) => [
      key,
      parseIdset(ids),
    ]),
  )
  const none = EMPTY_IDSET
  return factsOf({
    all: all ?? none,
    live: live ?? none,
    ownDrained: ownDrained ?? none,
    foreignDrained: foreignDrained ?? none,
    allocated: allocated ?? none,
    unsettled: unsettled ?? none,
  })
}

const STARTING: DrainState = { kind: 'starting', since: 0 }

/** Every transition: from a state, by a reading and the size that is wanted, to the next state. */
const TRANSITIONS: readonly {
  readonly what: string
  readonly from: DrainState
  readonly by: Readonly<Record<string, string>>
  readonly target: number
  readonly now?: number
  readonly to: DrainState
}[] = [
  {
    what: 'starting goes on while ranks above the size are not drained',
    ...{ from: STARTING, by: { ownDrained: '4-8' }, target: 4, to: STARTING },
  },
  {
    what: 'starting goes on while a drained rank is busy',
    ...{ from: STARTING, by: { ownDrained: '4-9', allocated: '7' }, target: 4, to: STARTING },
  },
  {
    what: 'starting goes on while ranks that are not live are not drained',
    ...{ from: STARTING, by: { live: '0-3' }, target: 4, to: STARTING },
  },
  {
    what: 'starting ends when every rank above the size is drained and idle',
    ...{ from: STARTING, by: { ownDrained: '4-9' }, target: 4, to: { kind: 'offered', size: 4 } },
  },
  {
    what: 'starting ends with the size of what is open when the race is over',
    ...{ from: STARTING, by: { live: '0-6' }, target: 4, now: RACE_MS },
    to: { kind: 'draining', size: 7, target: 4 },
  },
  {
    what: 'an offered size grows at once',
    ...{ from: { kind: 'offered', size: 4 }, by: {}, target: 12 },
    to: { kind: 'offered', size: 12 },
  },
  {
    what: 'an offered size is kept while ranks are drained for a smaller one',
    ...{ from: { kind: 'offered', size: 10 }, by: {}, target: 4 },
    to: { kind: 'draining', size: 10, target: 4 },
  },
  {
    what: 'an open rank above the offered size is part of the size until it is drained',
    ...{ from: { kind: 'offered', size: 4 }, by: { ownDrained: '4-6,8-9' }, target: 4 },
    to: { kind: 'draining', size: 8, target: 4 },
  },
  {
    what: 'draining goes on while a drained rank is not settled',
    ...{ from: { kind: 'draining', size: 10, target: 4 }, target: 4 },
    by: { ownDrained: '4-9', unsettled: '5' },
    to: { kind: 'draining', size: 10, target: 4 },
  },
  {
    what: 'draining ends when the ranks are drained, idle and settled',
    ...{ from: { kind: 'draining', size: 10, target: 4 }, by: { ownDrained: '4-9' }, target: 4 },
    to: { kind: 'offered', size: 4 },
  },
  {
    what: 'draining ends when the larger size is wanted again',
    ...{ from: { kind: 'draining', size: 10, target: 4 }, by: { ownDrained: '4-9' }, target: 10 },
    to: { kind: 'offered', size: 10 },
  },
]

for (const { what, from, by, target, now = 1, to } of TRANSITIONS) {
  test(`nextState: ${what}`, () => {
    assert.deepEqual(nextState(from, { now, facts: ranks(by), target }), to)
  })
}

test('nothing is drained to stay or to grow', () => {
  const stage = steady()
  assert.deepEqual(stage.tell(0, 10), published(10))
  assert.deepEqual(stage.tell(1, 64), published(64))
})

test('a smaller size is published when its ranks are drained, and not before', () => {
  const stage = steady()
  const preparing = { size: 10, drain: '4-9', undrain: '', preparing: 4 }
  assert.deepEqual(stage.tell(0, 4), preparing)
  assert.deepEqual(stage.tell(1, 4), published(4))
})

test('a drain that fails is asked for again, and the larger size published', () => {
  const stage = steady()
  const preparing = { size: 10, drain: '4-9', undrain: '', preparing: 4 }
  for (const now of [0, 1, 2]) {
    stage.own = ''
    assert.deepEqual(stage.tell(now, 4), preparing)
  }
})

test('some ranks that were drained do not do for all', () => {
  const stage = steady()
  stage.plan(0, 4)
  stage.own = '4-6,8-9'
  assert.deepEqual(stage.tell(1, 4), { size: 10, drain: '7', undrain: '', preparing: 4 })
})

test('a drained rank on which a job still runs holds the size', () => {
  const stage = steady()
  stage.plan(0, 4)
  stage.allocated = '7'
  assert.deepEqual(stage.tell(1, 4), { size: 10, drain: '', undrain: '', preparing: 4 })
  stage.allocated = ''
  assert.deepEqual(stage.tell(2, 4), published(4))
})

test('a drained rank to which the scheduler may have given a job just before holds the size', () => {
  const stage = steady()
  stage.plan(0, 4)
  stage.unsettled = '7'
  assert.deepEqual(stage.tell(1, 4), { size: 10, drain: '', undrain: '', preparing: 4 })
  stage.unsettled = '3'
  assert.deepEqual(stage.tell(2, 4), published(4))
})

test('ranks whose pods may be about to come are drained, too', () => {
  const stage = steady({ live: '0-4' })
  assert.equal(stage.tell(0, 2).drain, '2-9')
})

test("an administrator's drains are left alone, and serve as well", () => {
  const stage = steady({ foreign: '1,6' })
  assert.equal(stage.tell(0, 4).drain, '4-5,7-9')
  assert.deepEqual(stage.tell(1, 4), published(4))
  assert.equal(stage.tell(2, 10).undrain, '')
  assert.equal(stage.tell(2 + RACE_MS, 10).undrain, '4-5,7-9')
  assert.deepEqual(stage.tell(3 + RACE_MS, 10), published(10))
})

test('a drain that an administrator takes over is theirs', () => {
  const stage = shrunk()
  Object.assign(stage, { own: '4,6-9', foreign: '5' })
  stage.plan(1, 10)
  assert.equal(stage.tell(1 + RACE_MS, 10).undrain, '4,6-9')
})

test('a drain that an administrator lifts is asked for again, and the size goes back', () => {
  const stage = shrunk()
  stage.own = '4-7,9'
  assert.deepEqual(stage.tell(1, 4), { size: 9, drain: '8', undrain: '', preparing: 4 })
  assert.deepEqual(stage.tell(2, 4), published(4))
})

test('a size that rises is published at once, and its ranks given back when nobody can act on the smaller one', () => {
  const stage = shrunk()
  assert.deepEqual(stage.tell(1000, 8), published(8))
  assert.deepEqual(stage.tell(1000 + RACE_MS - 1, 8), published(8))
  assert.deepEqual(stage.tell(1000 + RACE_MS, 8), { ...published(8), undrain: '4-7' })
  assert.equal(stage.own, '8-9')
})

test('a size that was being prepared and is wanted no more was never published: its ranks are given back at once', () => {
  const stage = steady()
  stage.plan(0, 4)
  assert.equal(stage.own, '4-9')
  assert.deepEqual(stage.tell(1, 10), { ...published(10), undrain: '4-9' })
})

test('part of the ranks is given back when less is to be taken away', () => {
  const stage = steady()
  stage.plan(0, 4)
  assert.deepEqual(stage.tell(1, 6), { ...published(6), undrain: '4-5' })
})

test('the smallest size of the last while counts, also when several were published', () => {
  const stage = shrunk()
  stage.plan(1000, 10)
  stage.plan(2000, 6)
  assert.deepEqual(stage.tell(3000, 10), published(10))
  assert.equal(stage.tell(1000 + RACE_MS, 10).undrain, '4-5')
  assert.equal(stage.tell(3000 + RACE_MS, 10).undrain, '6-9')
})

/** A stage that has published 4 for long enough, and whose other pods have ended. */
function settledAt4(): Stage {
  const stage = shrunk()
  stage.live = '0-3'
  for (const now of [RACE_MS - 30_000, RACE_MS]) stage.plan(now, 4)
  return stage
}

test('a rank that was absent until nobody could act on the smaller size is given back before it joins', () => {
  const stage = settledAt4()
  const risenAt = RACE_MS + 1000
  assert.deepEqual(stage.tell(risenAt, 8), published(8))
  assert.deepEqual(stage.tell(risenAt + DECISION_MS - 1, 8), published(8))
  assert.equal(stage.tell(risenAt + DECISION_MS, 8).undrain, '4-7')
  assert.equal(stage.own, '8-9')
})

test('a rank that was absent for so long is given back as soon as it joins', () => {
  const stage = settledAt4()
  const risenAt = RACE_MS + 1000
  stage.plan(risenAt, 8)
  stage.carriesOut = false
  stage.plan(risenAt + DECISION_MS, 8)
  stage.carriesOut = true
  stage.live = '0-5'
  assert.equal(stage.tell(risenAt + DECISION_MS + 1, 8).undrain, '4-7')
})

test('the time counts from when the smaller size was read last', () => {
  const stage = settledAt4()
  const readAt = RACE_MS + 1000
  stage.read(readAt, 4)
  stage.plan(readAt + 10_000, 8)
  assert.equal(stage.tell(readAt + DECISION_MS - 1, 8).undrain, '')
  assert.equal(stage.tell(readAt + DECISION_MS, 8).undrain, '4-7')
})

test('an HPA whose syncs are short has acted on the smaller size when it reads the larger one', () => {
  const stage = settledAt4()
  const risenAt = RACE_MS + 1000
  stage.read(risenAt - 100, 4)
  stage.plan(risenAt, 8)
  stage.read(risenAt + 900, 8)
  assert.equal(stage.tell(risenAt + 4_800, 8).undrain, '')
  assert.equal(stage.tell(risenAt + 4_900, 8).undrain, '4-7')
})

test('somebody else who reads the larger size says nothing about the HPA', () => {
  const stage = settledAt4()
  const risenAt = RACE_MS + 1000
  stage.read(risenAt - 100, 4)
  stage.plan(risenAt, 8)
  stage.read(risenAt + 900, 8, 'other')
  assert.equal(stage.tell(risenAt - 101 + DECISION_MS, 8).undrain, '')
  assert.equal(stage.tell(risenAt - 100 + DECISION_MS, 8).undrain, '4-7')
})

test('a size that nobody read takes no pod away', () => {
  const stage = shrunk()
  stage.plan(2 * RACE_MS, 10)
  stage.plan(3 * RACE_MS, 10)
  stage.read(3 * RACE_MS + 1, 10)
  stage.plan(3 * RACE_MS + 2, 4)
  assert.deepEqual(stage.tell(3 * RACE_MS + 3, 4), published(4))
  stage.live = '0-9'
  assert.deepEqual(stage.tell(3 * RACE_MS + 4, 10), { ...published(10), undrain: '4-9' })
})

test('the size may rise twice, and every rank counts from when its number was out of reach', () => {
  const stage = settledAt4()
  stage.plan(RACE_MS + 1000, 6)
  stage.plan(RACE_MS + 3000, 8)
  assert.equal(stage.tell(RACE_MS + 1000 + DECISION_MS, 8).undrain, '4-5')
  assert.equal(stage.tell(RACE_MS + 3000 + DECISION_MS, 8).undrain, '6-7')
})

test('a rank that comes again within the race waits: it may be a blip of a broker whose pod is ending', () => {
  const stage = shrunk()
  const risenAt = RACE_MS + 1000
  stage.plan(risenAt, 8)
  stage.live = '0-4,6-9'
  stage.plan(risenAt + 1, 8)
  stage.live = '0-9'
  for (const afterMs of [2, DECISION_MS, 30_000, RACE_MS - 1]) {
    assert.equal(stage.tell(risenAt + afterMs, 8).undrain, '', `${afterMs} ms after the rise`)
  }
  assert.equal(stage.tell(risenAt + RACE_MS, 8).undrain, '4-7')
})

test('a rank that left a moment before may be blipping: it is given back when it has been absent for 30 s', () => {
  const stage = shrunk()
  stage.plan(RACE_MS, 4)
  stage.live = '0-3'
  stage.plan(RACE_MS + 1000, 4)
  const risenAt = RACE_MS + 2000
  stage.plan(risenAt, 8)
  assert.equal(stage.tell(risenAt + DECISION_MS, 8).undrain, '')
  assert.equal(stage.plan(risenAt + 28_900, 8).lookAt, RACE_MS + 31_000)
  assert.equal(stage.tell(RACE_MS + 31_000, 8).undrain, '4-7')
})

test('ranks that were given back and are drained again are given back at once: no smaller size was read in between', () => {
  const stage = settledAt4()
  const risenAt = RACE_MS + 1000
  stage.plan(risenAt, 8)
  assert.equal(stage.tell(risenAt + DECISION_MS, 8).undrain, '4-7')
  stage.live = '0-7'
  stage.plan(risenAt + DECISION_MS + 1000, 8)
  assert.equal(stage.tell(risenAt + DECISION_MS + 2000, 4).drain, '4-7')
  assert.deepEqual(stage.tell(risenAt + DECISION_MS + 3000, 8), { ...published(8), undrain: '4-7' })
})

test('what came and went unseen says nothing', () => {
  const stage = settledAt4()
  const risenAt = RACE_MS + 1000
  stage.plan(risenAt, 8)
  stage.reconnect()
  assert.equal(stage.tell(risenAt + DECISION_MS, 8).undrain, '')
  stage.live = '0-7'
  assert.equal(stage.tell(risenAt + RACE_MS, 8).undrain, '4-7')
})

test('a pod that comes ten minutes after a restart finds itself drained, and one that is wanted finds itself open', () => {
  const stage = new Stage()
  stage.live = '0-3'
  stage.plan(0, 4)
  assert.deepEqual(stage.tell(1, 4), published(4))
  assert.deepEqual(stage.tell(10 * RACE_MS, 4), published(4))
  assert.equal(stage.own, '4-9')
  stage.live = '0-4'
  assert.deepEqual(stage.tell(10 * RACE_MS + 1, 4), published(4))
  stage.plan(10 * RACE_MS + 2, 6)
  assert.equal(stage.tell(10 * RACE_MS + 2 + DECISION_MS, 6).undrain, '5')
  assert.equal(stage.tell(11 * RACE_MS + 2, 6).undrain, '4')
})

test('in the first minute, too, a rank that joins after the rise is given back at once', () => {
  const stage = new Stage()
  stage.live = '0-1'
  stage.plan(0, 2)
  assert.deepEqual(stage.tell(3_000, 2), published(2))
  stage.read(4_000, 2)
  assert.deepEqual(stage.tell(6_000, 4), published(4))
  stage.plan(16_000, 4)
  stage.read(19_000, 4)
  assert.equal(stage.tell(19_000, 4).undrain, '2-3')
})

test('a plan says when to look again: often while a rank is awaited, else when the race is over', () => {
  const stage = settledAt4()
  const risenAt = RACE_MS + 1000
  assert.equal(stage.plan(risenAt, 4).lookAt, undefined)
  assert.equal(stage.plan(risenAt, 8).lookAt, risenAt + 1000)
  assert.equal(stage.plan(risenAt + DECISION_MS - 300, 8).lookAt, risenAt + DECISION_MS)
  const other = shrunk()
  assert.equal(other.plan(RACE_MS, 8).lookAt, 2 * RACE_MS)
})

test('a plan that drains looks again for the rank that is awaited, if that is sooner', () => {
  const stage = settledAt4()
  const risenAt = RACE_MS + 1000
  stage.plan(risenAt, 8)
  Object.assign(stage, { live: '0-3,9', own: '4-8' })
  const { drain, lookAt } = stage.plan(risenAt + DECISION_MS - 100, 8)
  assert.deepEqual([formatIdset(drain), lookAt], ['9', risenAt + DECISION_MS])
})

test('a pod that was never there waits: it may be late, and of a size that is no more', () => {
  const stage = steady({ live: '0-3' })
  stage.plan(-1, 4)
  assert.deepEqual(stage.tell(0, 4), published(4))
  stage.plan(2 * RACE_MS - 1, 4)
  assert.deepEqual(stage.tell(2 * RACE_MS, 8), published(8))
  stage.live = '0-7'
  assert.deepEqual(stage.tell(2 * RACE_MS + 1, 8), published(8))
  assert.equal(stage.tell(3 * RACE_MS, 8).undrain, '4-7')
})

test('a plan says which ranks stay drained, why and until when', () => {
  const stage = shrunk()
  stage.live = '0-5'
  stage.plan(RACE_MS, 4)
  const { held = [], lookAt } = stage.plan(RACE_MS + 1000, 8)
  // The ranks that are awaited come first, whatever the others need.
  assert.equal(lookAt, RACE_MS + 2000)
  assert.deepEqual(
    held.map(({ ranks: ids, because, until }) => [formatIdset(ids), because, until]),
    [
      ['4-5', 'ending', 2 * RACE_MS + 1000],
      ['6-7', 'awaited', RACE_MS + 1000 + DECISION_MS],
      ['8-9', 'unwanted', undefined],
    ],
  )
})

test('drains of ranks that shrinking took away stay, so that a late pod finds itself drained', () => {
  const stage = shrunk()
  stage.live = '0-3'
  assert.deepEqual(stage.tell(10 * RACE_MS, 4), published(4))
  assert.equal(stage.own, '4-9')
})

test('a restart knows its drains, and publishes the smaller size at once', () => {
  const stage = shrunk()
  stage.restart()
  assert.deepEqual(stage.tell(1, 4), published(4))
})

test('a restart gives nothing back before what was published earlier is forgotten', () => {
  const stage = shrunk()
  stage.restart()
  assert.deepEqual(stage.tell(1000, 10), published(10))
  assert.deepEqual(stage.tell(1000 + RACE_MS - 1, 10), published(10))
  assert.deepEqual(stage.tell(1000 + RACE_MS, 10), { ...published(10), undrain: '4-9' })
})

test('a restart without drains publishes nothing until every rank of R that may be lost is drained', () => {
  const stage = new Stage()
  stage.live = '0-6'
  assert.deepEqual(stage.tell(0, 2), { size: undefined, drain: '2-9', undrain: '', preparing: 2 })
  assert.deepEqual(stage.tell(1, 2), published(2))
})

test('a start at which nothing can be lost publishes at once', () => {
  assert.deepEqual(new Stage().tell(0, 10), published(10))
  assert.deepEqual(Object.assign(new Stage(), { foreign: '4-9' }).tell(0, 4), published(4))
})

test('drains that fail from the start keep nobody waiting for longer than the race', () => {
  const stage = new Stage()
  stage.live = '0-6'
  for (const now of [0, 1_000, RACE_MS - 1]) {
    assert.equal(stage.tell(now, 2).size, undefined)
    stage.own = ''
  }
  assert.deepEqual(stage.tell(RACE_MS, 2), { size: 7, drain: '2-6', undrain: '', preparing: 2 })
})

test('a rank that is there and open holds the size until it is drained, whoever made its pod', () => {
  const stage = new Stage()
  stage.live = '0'
  stage.plan(-1, 1)
  assert.deepEqual(stage.tell(0, 1), published(1))
  stage.live = '0-2'
  stage.own = ''
  assert.deepEqual(stage.tell(1, 1), { size: 3, drain: '1-2', undrain: '', preparing: 1 })
  assert.deepEqual(stage.tell(2, 1), published(1))
})

test('ranks that R does not have are not drained', () => {
  const stage = steady({ all: '0-4,6-9', live: '0-4,6-9' })
  assert.equal(stage.tell(0, 4).drain, '4,6-9')
  assert.deepEqual(stage.tell(1, 4), published(4))
})

const arbitraryReadings = fc.array(
  fc.record({
    pause: fc.integer({ min: 1, max: RACE_MS }),
    live: arbitraryIds,
    foreign: arbitraryIds,
    busy: arbitraryIds,
    more: fc.nat(30),
    carriedOut: fc.constantFrom('all', 'all', 'drain', 'undrain', 'none'),
  }),
  { minLength: 1, maxLength: 30 },
)

test('of any readings, what is above the published size is drained and idle, and no other drain is touched', () => {
  fc.assert(
    fc.property(arbitraryReadings, (readings) => {
      const all = parseIdset('0-40')
      const drains = new DrainBeforeShrink()
      let own = EMPTY_IDSET
      let now = 0
      for (const { pause, live: ids, foreign: theirs, busy, more, carriedOut } of readings) {
        now += pause
        const live = parseIdset(idsToText(ids))
        const foreign = subtractIdsets(parseIdset(idsToText(theirs)), own)
        const allocated = intersectIdsets(live, parseIdset(idsToText(busy)))
        const target = Math.min(41, 1 + (listIds(allocated).at(-1) ?? 0) + more)
        const plan = drains.plan(
          now,
          factsOf({
            all,
            live,
            ownDrained: own,
            foreignDrained: foreign,
            allocated,
            unsettled: EMPTY_IDSET,
          }),
          target,
        )
        checkPlan(plan, { live, own, foreign, allocated, target })
        if (carriedOut !== 'drain' && carriedOut !== 'none') own = subtractIdsets(own, plan.undrain)
        if (carriedOut !== 'undrain' && carriedOut !== 'none') own = unionIdsets(own, plan.drain)
      }
    }),
    { numRuns: runs(1000) },
  )
})

function checkPlan(
  { size, drain, undrain, preparing }: DrainPlan,
  facts: Readonly<Record<'live' | 'own' | 'foreign' | 'allocated', Idset>> & { target: number },
): void {
  const { live, own, foreign, allocated, target } = facts
  const drained = unionIdsets(own, foreign)
  if (size === undefined) {
    assert.equal(preparing, target)
    assert.ok(isEmpty(undrain))
    return
  }
  assert.ok(size >= target, 'what is wanted is published')
  assert.equal(preparing, size > target ? target : undefined)
  for (const rank of listIds(live)) {
    if (rank < size) continue
    assert.ok(hasId(drained, rank), `rank ${rank} is open, and ${size} is published`)
    assert.ok(!hasId(allocated, rank), `rank ${rank} is busy, and ${size} is published`)
  }
  assert.ok(isEmpty(intersectIdsets(drain, drained)), 'drained twice')
  assert.ok(
    [...listIds(drain)].every((rank) => rank >= target),
    'drained though wanted',
  )
  assert.ok(isEmpty(subtractIdsets(undrain, own)), 'gave back what is not ours')
  assert.ok(
    [...listIds(undrain)].every((rank) => rank < target || !hasId(live, rank)),
    'gave back though unwanted, and there',
  )
}

test('of any sizes, no rank is given back that an HPA may still take away', () => {
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 1, max: RACE_MS }), fc.integer({ min: 1, max: 10 })),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  fc.assert(
    fc.property(steps, (targets) => {
      const stage = new Stage()
      const sizes: { at: number; size: number }[] = []
      let now = 0
      for (const [pause, target] of targets) {
        now += pause
        // What was published last is so until now.
        const last = sizes.at(-1)
        if (last !== undefined) last.at = now
        const { size, undrain } = stage.plan(now, target)
        if (size !== undefined) sizes.push({ at: now, size })
        const alive = sizes.filter(({ at }) => at > now - RACE_MS).map((one) => one.size)
        for (const rank of listIds(undrain)) assert.ok(rank < Math.min(...alive))
        if (now <= RACE_MS) assert.ok(isEmpty(undrain))
      }
    }),
    { numRuns: runs(1000) },
  )
})
