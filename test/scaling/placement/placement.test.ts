// Placement against cases by hand and against a naive first fit that remembers nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { idsetOf } from '#flux/sets/id-list.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import {
  parseResourceSet,
  type ResourceSet,
  subtractResourceSets,
} from '#flux/sets/resource-set.ts'
import type { Need } from '#scaling/placement/need.ts'
import { type Domain, type Place, Placement } from '#scaling/placement/placement.ts'
import { idsToText } from '../../support/arbitraries.ts'
import { runs } from '../../support/runs.ts'
import { ranksWith } from '../../support/snapshots.ts'

const NOTHING = ranksWith('', { cores: '0' })

function needs(changes: Partial<Need>): Need {
  return { nodes: undefined, slots: 1, cores: 1, gpus: 0, exclusive: false, ...changes }
}

/** A number of nodes with so many cores on each. */
function nodes(count: number, cores = 1): Need {
  return needs({ nodes: count, slots: count, cores })
}

function domainOf(ranks: string, usable = ranks, startable = usable): Domain {
  return {
    ranks: parseIdset(ranks),
    usable: parseIdset(usable),
    startable: parseIdset(startable),
  }
}

/** As many as there are. */
const RANGE = { times: 1, min: 1, max: Number.POSITIVE_INFINITY, operator: '+', operand: 1 }

/** Four ranks of four cores and two GPUs, of which rank 0 is full and rank 1 has one core and one GPU left. */
const ALL = ranksWith('0-3', { cores: '0-3', gpus: '0-1' })
const FREE = parseResourceSet({
  version: 1,
  execution: {
    R_lite: [
      { rank: '1', children: { core: '3', gpu: '1' } },
      { rank: '2-3', children: { core: '0-3', gpu: '0-1' } },
    ],
  },
})

const CASES: readonly {
  readonly what: string
  readonly need: Need
  readonly domain?: Domain
  readonly place: Place
}[] = [
  { what: 'a core goes to the lowest rank with one', need: needs({}), place: placed(1) },
  { what: 'slots are spread as they fit', need: needs({ slots: 6 }), place: placed(1, 2, 3) },
  { what: 'a slot is not divided', need: needs({ slots: 2, cores: 3 }), place: placed(2, 3) },
  { what: 'a slot needs its GPU, too', need: needs({ slots: 2, gpus: 1 }), place: placed(1, 2) },
  { what: 'nodes have equal shares', need: nodes(2, 2), place: placed(2, 3) },
  {
    what: 'slots that do not divide evenly are rounded up on every node',
    need: needs({ nodes: 2, slots: 5 }),
    place: placed(2, 3),
  },
  {
    what: 'a whole node must be idle',
    need: needs({ nodes: 2, slots: 2, exclusive: true }),
    place: placed(2, 3),
  },
  {
    what: 'slots that do not fill their last rank wait for it, too',
    need: needs({ slots: 7, cores: 2 }),
    place: waits(0, 1, 2, 3),
  },
  { what: 'more than is free waits for all', need: nodes(4), place: waits(0, 1, 2, 3) },
  {
    what: 'more whole nodes than are idle wait for the lowest',
    need: needs({ nodes: 3, slots: 3, exclusive: true }),
    place: waits(0, 1, 2),
  },
  {
    what: 'a slot with a range of cores takes what there is',
    need: needs({ slots: 3, ranges: { cores: { ...RANGE, max: 3 } } }),
    place: placed(1, 2, 3),
  },
  {
    what: 'slots with a range of GPUs that a node has twice',
    need: needs({ slots: 4, gpus: 1, ranges: { gpus: RANGE } }),
    place: waits(0, 1, 2, 3),
  },
  {
    what: 'two slots a node, of which the first would take all',
    need: needs({ nodes: 1, cores: 2, ranges: { cores: { ...RANGE, times: 2 } } }),
    place: { kind: 'infeasible' },
  },
  { what: 'more nodes than R has', need: nodes(5), place: { kind: 'infeasible' } },
  { what: 'more cores than R has', need: needs({ slots: 17 }), place: { kind: 'infeasible' } },
  { what: 'more cores than a node has', need: needs({ cores: 5 }), place: { kind: 'infeasible' } },
  { what: 'more GPUs than a node has', need: needs({ gpus: 3 }), place: { kind: 'infeasible' } },
  {
    what: 'what cannot be used is passed over',
    need: needs({}),
    domain: domainOf('0-3', '0,3'),
    place: placed(3),
  },
  {
    what: 'what waits for ranks that cannot be used has no place',
    need: nodes(4),
    domain: domainOf('0-3', '0-2'),
    place: waits(),
  },
  {
    what: 'a rank that was given up is waited for where nothing else will do',
    need: nodes(4),
    domain: domainOf('0-3', '0-2', '0-3'),
    place: waits(0, 1, 2, 3),
  },
  {
    what: 'a rank that was given up is passed over where others do',
    need: nodes(2),
    domain: domainOf('0-3', '0-1,3', '0-3'),
    place: placed(1, 3),
  },
  {
    what: 'a slot without cores and GPUs waits for a rank like any other',
    need: needs({ cores: 0, gpus: 0 }),
    domain: domainOf('0-3', '', '0-3'),
    place: waits(0),
  },
  { what: 'no slot at all is no rank', need: needs({ slots: 0 }), place: placed() },
  { what: 'no node at all is no rank', need: nodes(0), place: placed() },
]

for (const { what, need, domain = domainOf('0-3'), place } of CASES) {
  test(`Placement: ${what}`, () => {
    assert.deepEqual(new Placement(ALL, FREE).place([[need]], domain), place)
  })
}

test('Placement takes what it gives, and nothing for what waits', () => {
  const placement = new Placement(ALL, FREE)
  const domain = domainOf('0-3')
  assert.deepEqual(placement.place([[nodes(2, 4)]], domain), placed(2, 3))
  assert.deepEqual(placement.place([[nodes(2, 4)]], domain), waits(0, 1))
  assert.deepEqual(placement.place([[needs({})]], domain), placed(1))
  assert.deepEqual(placement.place([[needs({})]], domain), waits(0))
})

test('Placement takes all slots of a node', () => {
  const placement = new Placement(ALL, FREE)
  const domain = domainOf('0-3')
  const pairs = needs({ nodes: 2, slots: 4, cores: 2 })
  assert.deepEqual(placement.place([[pairs]], domain), placed(2, 3))
  assert.deepEqual(placement.place([[needs({ cores: 2 })]], domain), waits(0))
})

test('Placement forgets what it learnt beside parts that were given back', () => {
  const placement = new Placement(ALL, FREE)
  const domain = domainOf('0-3')
  const job = [[nodes(2, 4), needs({ cores: 4 })]]
  assert.deepEqual(placement.place(job, domain), waits(0, 1, 2))
  assert.deepEqual(placement.place([[needs({ cores: 4 })]], domain), placed(2))
})

test('Placement waits in a way that has a place rather than in one that has none', () => {
  const ways = [[nodes(3)], [nodes(2, 4)]]
  assert.deepEqual(new Placement(ALL, FREE).place(ways, domainOf('0-3', '0-1')), waits(0, 1))
})

test('Placement passes over ranks that were given up also for parts, where others do', () => {
  const placement = new Placement(ALL, FREE)
  assert.deepEqual(placement.place([[nodes(1, 4)]], domainOf('2')), placed(2))
  const job = [[nodes(1, 4), needs({ cores: 4 })]]
  assert.deepEqual(placement.place(job, domainOf('0-3', '2-3', '0-3')), waits(2, 3))
})

test('Placement takes whole nodes with all that is on them', () => {
  const placement = new Placement(ALL, FREE)
  const domain = domainOf('0-3')
  const whole = needs({ nodes: 1, slots: 1, exclusive: true })
  assert.deepEqual(placement.place([[whole]], domain), placed(2))
  assert.deepEqual(placement.place([[needs({ cores: 2 })]], domain), placed(3))
  assert.deepEqual(placement.place([[whole]], domain), waits(0))
  assert.deepEqual(placement.place([[needs({ gpus: 2, cores: 0 })]], domain), placed(3))
})

test('Placement lets domains share what is free', () => {
  const placement = new Placement(ALL, FREE)
  assert.deepEqual(placement.place([[nodes(1, 4)]], domainOf('2-3')), placed(2))
  assert.deepEqual(placement.place([[nodes(1, 4)]], domainOf('0-2')), waits(0))
  assert.deepEqual(placement.place([[nodes(1, 4)]], domainOf('0-3')), placed(3))
})

test('Placement finds room in R without any', () => {
  const place = new Placement(NOTHING, NOTHING).place([[needs({})]], domainOf(''))
  assert.deepEqual(place, { kind: 'infeasible' })
})

const arbitraryNeed = fc
  .record({
    nodes: fc.option(fc.nat(4), { nil: undefined }),
    slots: fc.nat(8),
    cores: fc.nat(3),
    gpus: fc.constantFrom(0, 0, 1, 2),
    exclusive: fc.boolean(),
  })
  .filter(({ nodes: count, slots, cores, gpus, exclusive }) =>
    // A slot has something in it, a node at least one slot, and only nodes are asked for whole.
    count === undefined ? !exclusive && cores + gpus > 0 : slots >= count,
  )

/** One way or two, of one part or two. */
const arbitraryWays = fc.array(fc.array(arbitraryNeed, { minLength: 1, maxLength: 2 }), {
  minLength: 1,
  maxLength: 2,
})

/** Up to eight ranks, of which some hold something. */
const arbitrarySituation = fc.record({
  sizes: fc.array(fc.record({ cores: fc.integer({ min: 1, max: 4 }), gpus: fc.nat(2) }), {
    minLength: 1,
    maxLength: 8,
  }),
  taken: fc.array(fc.record({ cores: fc.nat(4), gpus: fc.nat(2) }), { maxLength: 8 }),
  unusable: fc.array(fc.uniqueArray(fc.nat(7), { maxLength: 4 }), { minLength: 2, maxLength: 2 }),
  jobs: fc.array(fc.tuple(arbitraryWays, fc.nat(1)), { maxLength: 30 }),
  wholeNodes: fc.boolean(),
})

test('Placement places like a first fit that remembers nothing', () => {
  fc.assert(
    fc.property(arbitrarySituation, ({ sizes, taken, unusable, jobs, wholeNodes }) => {
      const all = resourcesOf(sizes)
      const free = subtractResourceSets(all, resourcesOf(taken))
      const ranks = sizes.map((_, rank) => rank)
      const domains = unusable.map((without) => ranks.filter((rank) => !without.includes(rank)))
      const shared = domains.map((usable) =>
        domainOf(idsToText(new Set(ranks)), idsToText(new Set(usable))),
      )
      const placement = new Placement(all, free, { wholeNodes })
      const naive = new NaivePlacement({ sizes, taken, wholeNodes })
      for (const [ways, which] of jobs) {
        const domain = shared[which]
        assert.ok(domain)
        assert.deepEqual(
          placement.place(ways, domain),
          naive.place(ways, { ranks, usable: domains[which] ?? [] }),
        )
      }
    }),
    { numRuns: runs(4000) },
  )
})

test('Placement ends with its budget, and says so of every job that is left', () => {
  const all = ranksWith('0-9999', { cores: '0-63' })
  const placement = new Placement(all, all)
  const domains = Array.from({ length: 2000 }, (_, index) => domainOf(`${index}-9999`))
  const places = domains.map((domain) => placement.place([[nodes(9_000, 64)]], domain).kind)
  const last = places.lastIndexOf('waits')
  assert.equal(places[0], 'placed')
  assert.ok(last > 100, `${last} jobs are placed`)
  assert.deepEqual(new Set(places.slice(last + 1)), new Set(['not placed']))
})

for (const [what, part, parts] of [
  ['without slots', needs({ slots: 0 }), 200],
  ['that were not found before', needs({ cores: 5 }), 1],
] as const) {
  test(`Placement ends with its budget on many jobs with many ways of parts ${what}`, () => {
    const placement = new Placement(ALL, FREE)
    const domain = domainOf('0-3')
    const ways = Array.from({ length: 200 }, () => Array.from({ length: parts }, () => part))
    let place: Place | undefined
    for (let job = 0; job < 3_000; job += 1) place = placement.place(ways, domain)
    assert.deepEqual(place, { kind: 'not placed' })
  })
}

test('Placement puts R back after a job whose parts wait together', () => {
  const placement = new Placement(ALL, FREE)
  const domain = domainOf('0-3')
  const apart = [nodes(3, 4), needs({ cores: 4 })]
  const shared = [nodes(4, 2), nodes(4, 2)]
  for (const parts of [apart, apart, shared, shared, apart]) {
    assert.deepEqual(placement.place([parts], domain), waits(0, 1, 2, 3))
  }
})

interface Room {
  readonly cores: number
  readonly gpus: number
}

/** Cores and GPUs from 0 on, by rank. */
function resourcesOf(rooms: readonly Room[]): ResourceSet {
  const upTo = (count: number) => (count === 0 ? '' : count === 1 ? '0' : `0-${count - 1}`)
  const entries = rooms.map(({ cores, gpus }, rank) => ({
    rank: `${rank}`,
    children: { core: upTo(cores), gpu: upTo(gpus) },
  }))
  return parseResourceSet({ version: 1, execution: { R_lite: entries } })
}

/** The ranks that a need is given, with the slots of each. */
type Fit = readonly (readonly [rank: number, slots: number])[]

/** What is free, and which ranks hold nothing: copied for each attempt. */
interface State {
  readonly free: readonly Room[]
  readonly idle: readonly boolean[]
}

/** Job by job, rank by rank, slot by slot. */
class NaivePlacement {
  readonly #wholeNodes: boolean
  readonly #total: readonly Room[]
  #state: State

  constructor(options: {
    readonly sizes: readonly Room[]
    readonly taken: readonly Room[]
    readonly wholeNodes: boolean
  }) {
    const { sizes, taken, wholeNodes } = options
    this.#wholeNodes = wholeNodes
    this.#total = sizes
    const free = sizes.map(({ cores, gpus }, rank) => ({
      cores: Math.max(0, cores - (taken[rank]?.cores ?? 0)),
      gpus: Math.max(0, gpus - (taken[rank]?.gpus ?? 0)),
    }))
    const idle = sizes.map(
      ({ cores, gpus }, rank) => cores === free[rank]?.cores && gpus === free[rank]?.gpus,
    )
    this.#state = { free, idle }
  }

  place(
    ways: readonly (readonly Need[])[],
    domain: { readonly ranks: readonly number[]; readonly usable: readonly number[] },
  ): Place {
    for (const parts of ways) {
      const now = this.#placeAll(parts, domain.usable, this.#state)
      if (now === undefined) continue
      this.#state = now.state
      return placed(...now.ranks)
    }
    const empty = { free: this.#total, idle: this.#total.map(() => true) }
    let place: Place = { kind: 'infeasible' }
    for (const parts of ways) {
      if (this.#placeAll(parts, domain.ranks, empty) === undefined) continue
      const later = this.#placeAll(parts, domain.usable, empty)?.ranks ?? []
      if (later.length > 0) return waits(...later)
      place = waits()
    }
    return place
  }

  #placeAll(parts: readonly Need[], ranks: readonly number[], before: State) {
    let state = before
    const found = new Set<number>()
    for (const need of parts) {
      const fit = this.#fit(need, ranks, state)
      if (fit === undefined) return undefined
      const slots = new Map(fit)
      const isWhole = need.exclusive || this.#wholeNodes
      state = {
        free: state.free.map((room, rank) => {
          const count = slots.get(rank)
          if (count === undefined) return room
          return isWhole
            ? { cores: 0, gpus: 0 }
            : { cores: room.cores - count * need.cores, gpus: room.gpus - count * need.gpus }
        }),
        idle: state.idle.map((isIdle, rank) => isIdle && !slots.has(rank)),
      }
      for (const [rank] of fit) found.add(rank)
    }
    return { state, ranks: [...found].sort((a, b) => a - b) }
  }

  #fit(need: Need, ranks: readonly number[], { free, idle }: State): Fit | undefined {
    const found: [rank: number, slots: number][] = []
    const perNode = need.nodes === undefined ? undefined : Math.ceil(need.slots / need.nodes)
    let left = need.nodes ?? need.slots
    for (const rank of ranks) {
      if (left === 0) break
      if ((need.exclusive || this.#wholeNodes) && !idle[rank]) continue
      const slots = slotsIn(free[rank] ?? { cores: 0, gpus: 0 }, need, perNode ?? left)
      if (slots === 0 || slots < (perNode ?? 1)) continue
      found.push([rank, slots])
      left -= perNode === undefined ? slots : 1
    }
    return left === 0 ? found : undefined
  }
}

/** How many slots a room has, one after the other, up to a limit. */
function slotsIn(room: Room, need: Need, limit: number): number {
  let slots = 0
  while (
    slots < limit &&
    (slots + 1) * need.cores <= room.cores &&
    (slots + 1) * need.gpus <= room.gpus
  ) {
    slots += 1
  }
  return slots
}

function placed(...ranks: number[]): Place {
  return { kind: 'placed', ranks: idsetOf(ranks) }
}

function waits(...ranks: number[]): Place {
  return { kind: 'waits', ranks: idsetOf(ranks) }
}
