// Placement in cases by hand, and compared with a naive first fit that does not use earlier searches.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { listIds } from '#flux/sets/id-list.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import {
  parseResourceSet,
  type ResourceSet,
  subtractResourceSets,
} from '#flux/sets/resource-set.ts'
import type { Need } from '#scaling/need.ts'
import { type Domain, type Place, Placement } from '#scaling/placement.ts'
import { idsToText } from '../support/arbitraries.ts'
import { ranksWith } from '../support/snapshots.ts'

const NOTHING = ranksWith('', { cores: '0' })

function needs(changes: Partial<Need>): Need {
  return { nodes: undefined, slots: 1, cores: 1, gpus: 0, exclusive: false, ...changes }
}

/** A number of nodes, with this number of cores on each. */
function nodes(count: number, cores = 1): Need {
  return needs({ nodes: count, slots: count, cores })
}

function domainOf(ranks: string, usable = ranks, startable = usable): Domain {
  return {
    ranks: listIds(parseIdset(ranks)),
    usable: listIds(parseIdset(usable)),
    startable: listIds(parseIdset(startable)),
  }
}

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
  {
    what: 'slots without a number of nodes fill one rank after the other',
    need: needs({ slots: 6 }),
    place: placed(1, 2, 3),
  },
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
    what: 'a job for more than is free waits for the lowest ranks',
    need: nodes(4),
    place: waits(0, 1, 2, 3),
  },
  {
    what: 'a job for more whole nodes than are idle waits for the lowest ranks',
    need: needs({ nodes: 3, slots: 3, exclusive: true }),
    place: waits(0, 1, 2),
  },
  { what: 'more nodes than R has', need: nodes(5), place: { kind: 'infeasible' } },
  { what: 'more cores than R has', need: needs({ slots: 17 }), place: { kind: 'infeasible' } },
  { what: 'more cores than a node has', need: needs({ cores: 5 }), place: { kind: 'infeasible' } },
  { what: 'more GPUs than a node has', need: needs({ gpus: 3 }), place: { kind: 'infeasible' } },
  {
    what: 'ranks that are not usable are passed over',
    need: needs({}),
    domain: domainOf('0-3', '0,3'),
    place: placed(3),
  },
  {
    what: 'a job that needs ranks that are not startable waits without ranks',
    need: nodes(4),
    domain: domainOf('0-3', '0-2'),
    place: waits(),
  },
  {
    what: 'a job that does not fit on the other ranks waits for a lost rank',
    need: nodes(4),
    domain: domainOf('0-3', '0-2', '0-3'),
    place: waits(0, 1, 2, 3),
  },
  {
    what: 'a lost rank is passed over if the job fits on others',
    need: nodes(2),
    domain: domainOf('0-3', '0-1,3', '0-3'),
    place: placed(1, 3),
  },
  { what: 'a job of no slots needs no rank', need: needs({ slots: 0 }), place: placed() },
  { what: 'a job of no nodes needs no rank', need: nodes(0), place: placed() },
]

for (const { what, need, domain = domainOf('0-3'), place } of CASES) {
  test(`Placement: ${what}`, () => {
    assert.deepEqual(new Placement(ALL, FREE).place(need, domain), place)
  })
}

test('Placement takes the resources of a job that it places, and none for a job that waits', () => {
  const placement = new Placement(ALL, FREE)
  const domain = domainOf('0-3')
  assert.deepEqual(placement.place(nodes(2, 4), domain), placed(2, 3))
  assert.deepEqual(placement.place(nodes(2, 4), domain), waits(0, 1))
  assert.deepEqual(placement.place(needs({}), domain), placed(1))
  assert.deepEqual(placement.place(needs({}), domain), waits(0))
})

test('Placement takes all resources of whole nodes', () => {
  const placement = new Placement(ALL, FREE)
  const domain = domainOf('0-3')
  const whole = needs({ nodes: 1, slots: 1, exclusive: true })
  assert.deepEqual(placement.place(whole, domain), placed(2))
  assert.deepEqual(placement.place(needs({ cores: 2 }), domain), placed(3))
  assert.deepEqual(placement.place(whole, domain), waits(0))
  assert.deepEqual(placement.place(needs({ gpus: 2, cores: 0 }), domain), placed(3))
})

test('Placement shares free resources between domains', () => {
  const placement = new Placement(ALL, FREE)
  assert.deepEqual(placement.place(nodes(1, 4), domainOf('2-3')), placed(2))
  assert.deepEqual(placement.place(nodes(1, 4), domainOf('0-2')), waits(0))
  assert.deepEqual(placement.place(nodes(1, 4), domainOf('0-3')), placed(3))
})

test('Placement in an empty R finds every job infeasible', () => {
  const place = new Placement(NOTHING, NOTHING).place(needs({}), domainOf(''))
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
    // A slot has a core or a GPU, a node has at least one slot, and only a job for nodes can be exclusive.
    count === undefined ? !exclusive && cores + gpus > 0 : slots >= count,
  )

/** Up to eight ranks, of which some have resources allocated. */
const arbitrarySituation = fc.record({
  sizes: fc.array(fc.record({ cores: fc.integer({ min: 1, max: 4 }), gpus: fc.nat(2) }), {
    minLength: 1,
    maxLength: 8,
  }),
  taken: fc.array(fc.record({ cores: fc.nat(4), gpus: fc.nat(2) }), { maxLength: 8 }),
  unusable: fc.array(fc.uniqueArray(fc.nat(7), { maxLength: 4 }), { minLength: 2, maxLength: 2 }),
  jobs: fc.array(fc.tuple(arbitraryNeed, fc.nat(1)), { maxLength: 30 }),
})

test('Placement places like a first fit that does not use earlier searches', () => {
  fc.assert(
    fc.property(arbitrarySituation, ({ sizes, taken, unusable, jobs }) => {
      const all = resourcesOf(sizes)
      const free = subtractResourceSets(all, resourcesOf(taken))
      const ranks = sizes.map((_, rank) => rank)
      const domains = unusable.map((without) => ranks.filter((rank) => !without.includes(rank)))
      const shared = domains.map((usable) =>
        domainOf(idsToText(new Set(ranks)), idsToText(new Set(usable))),
      )
      const placement = new Placement(all, free)
      const naive = new NaivePlacement(sizes, taken)
      for (const [need, which] of jobs) {
        const domain = shared[which]
        assert.ok(domain)
        assert.deepEqual(
          placement.place(need, domain),
          naive.place(need, { ranks, usable: domains[which] ?? [] }),
        )
      }
    }),
    { numRuns: 2000 },
  )
})

interface RankResources {
  readonly cores: number
  readonly gpus: number
}

/** The cores and GPUs of each rank as R, with ids from 0 on. */
function resourcesOf(ranks: readonly RankResources[]): ResourceSet {
  const upTo = (count: number) => (count === 0 ? '' : count === 1 ? '0' : `0-${count - 1}`)
  const entries = ranks.map(({ cores, gpus }, rank) => ({
    rank: `${rank}`,
    children: { core: upTo(cores), gpu: upTo(gpus) },
  }))
  return parseResourceSet({ version: 1, execution: { R_lite: entries } })
}

/** First fit, job by job, rank by rank, slot by slot. */
class NaivePlacement {
  readonly #total: readonly RankResources[]
  readonly #free: RankResources[]
  /** Ranks that a job was placed on. */
  readonly #touched = new Set<number>()

  constructor(sizes: readonly RankResources[], taken: readonly RankResources[]) {
    this.#total = sizes
    this.#free = sizes.map(({ cores, gpus }, rank) => ({
      cores: Math.max(0, cores - (taken[rank]?.cores ?? 0)),
      gpus: Math.max(0, gpus - (taken[rank]?.gpus ?? 0)),
    }))
  }

  place(need: Need, domain: { readonly ranks: number[]; readonly usable: number[] }): Place {
    const now = this.#fit(need, domain.usable, { isNow: true })
    if (now !== undefined) {
      for (const [rank, slots] of now) {
        const { cores, gpus } = this.#free[rank] ?? { cores: 0, gpus: 0 }
        this.#free[rank] = need.exclusive
          ? { cores: 0, gpus: 0 }
          : { cores: cores - slots * need.cores, gpus: gpus - slots * need.gpus }
        this.#touched.add(rank)
      }
      return placed(...now.map(([rank]) => rank))
    }
    if (this.#fit(need, domain.ranks, { isNow: false }) === undefined) return { kind: 'infeasible' }
    const later = this.#fit(need, domain.usable, { isNow: false }) ?? []
    return waits(...later.map(([rank]) => rank))
  }

  #fit(need: Need, ranks: number[], { isNow }: { isNow: boolean }): [number, number][] | undefined {
    const found: [rank: number, slots: number][] = []
    const perNode = need.nodes === undefined ? undefined : Math.ceil(need.slots / need.nodes)
    let left = need.nodes ?? need.slots
    for (const rank of ranks) {
      if (left === 0) break
      if (isNow && need.exclusive && !this.#isIdle(rank)) continue
      const resources = (isNow ? this.#free : this.#total)[rank] ?? { cores: 0, gpus: 0 }
      const slots = slotsIn(resources, need, perNode ?? left)
      if (slots === 0 || slots < (perNode ?? 1)) continue
      found.push([rank, slots])
      left -= perNode === undefined ? slots : 1
    }
    return left === 0 ? found : undefined
  }

  #isIdle(rank: number): boolean {
    const [total, free] = [this.#total[rank], this.#free[rank]]
    return total?.cores === free?.cores && total?.gpus === free?.gpus && !this.#touched.has(rank)
  }
}

/** The number of slots that fit on a rank, counted one by one up to a limit. */
function slotsIn(rank: RankResources, need: Need, limit: number): number {
  let slots = 0
  while (
    slots < limit &&
    (slots + 1) * need.cores <= rank.cores &&
    (slots + 1) * need.gpus <= rank.gpus
  ) {
    slots += 1
  }
  return slots
}

function placed(...ranks: number[]): Place {
  return { kind: 'placed', ranks }
}

function waits(...ranks: number[]): Place {
  return { kind: 'waits', ranks }
}
