// The demand: which ranks pending jobs would be given, which ranks are busy, and which jobs do not count.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countIds, formatIdset, type Idset, parseIdset } from '#flux/sets/idset.ts'
import { parseResourceSet } from '#flux/sets/resource-set.ts'
import type { WaitingJob } from '#reading/facts.ts'
import { ALL_PODS } from '#reading/ranks/pod-ranks.ts'
import { unknown } from '#reading/unknown.ts'
import { computeDemand, type Demand, type DemandFacts } from '#scaling/demand.ts'
import { compensatedSize } from '#scaling/hpa-tolerance.ts'
import { ranksIn } from '#scaling/ranks.ts'
import { demandedNodes, wantedSizes } from '#scaling/sizes.ts'
import { arbitraryIds, idsToText } from '../support/arbitraries.ts'
import { runs } from '../support/runs.ts'
import { ranksWith } from '../support/snapshots.ts'
import { requestFor, waitingFor, waitingJob, wholeNodes } from '../support/waiting.ts'

const NO_RANKS = parseIdset('')

/** Changes to the facts of {@link factsFor}; its ranks are computed from `offline` and `drained`. */
interface Changes extends Partial<DemandFacts> {
  readonly offline?: Idset
  readonly drained?: Idset
}

/** 64 ranks of 16 cores, of which the first `size` are up. No job runs or waits. */
function factsFor(
  size: number,
  { offline, drained = NO_RANKS, ...changes }: Changes = {},
): DemandFacts {
  const facts = {
    all: ranksWith('0-63', { cores: '0-15' }),
    allocated: ranksWith('', { cores: '0' }),
    pods: ALL_PODS,
    fluxion: undefined,
    torpid: NO_RANKS,
    queues: new Map(),
    quorum: 1,
    takenAt: new Date('2026-11-24T01:02:13Z'),
    recent: NO_RANKS,
    lost: NO_RANKS,
    waiting: waitingFor(),
    ...changes,
  }
  const absent = offline ?? parseIdset(size < 63 ? `${size}-63` : '63')
  const drains = [{ ranks: drained, reason: '', drainedAt: 0 }]
  return {
    ...facts,
    ranks: ranksIn({ ...facts, running: NO_RANKS, offline: absent, drains }, undefined),
  }
}

/** All cores of these ranks. */
function busy(ranks: string): Pick<DemandFacts, 'allocated'> {
  return { allocated: ranksWith(ranks, { cores: '0-15' }) }
}

function demandFor(size: number, changes: Changes): Demand {
  return computeDemand(factsFor(size, changes))
}

/** The size that is wanted now, not held. */
function desiredFor(demand: Demand): number {
  return wantedSizes(demand, (_, size) => size).whole
}

/** As a text, so that a failure is easy to read. */
function placedFor(demand: Demand): string {
  return formatIdset(demand.whole.placed)
}

function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

/** The examples of the design, with the same numbers: 16 cores a node, R of 64 nodes. */
const EXAMPLES: readonly {
  readonly what: string
  readonly size: number
  readonly facts: Changes
  readonly demand: number
  readonly floor: number
  readonly desired: number
  readonly compensated: number
}[] = [
  {
    what: '1: four busy nodes and a job for eight more',
    size: 4,
    facts: { ...busy('0-3'), waiting: waitingFor(wholeNodes(8)) },
    ...{ demand: 12, floor: 4, desired: 12, compensated: 12 },
  },
  {
    what: '2: 40 jobs of one core fit on three of four idle nodes',
    size: 4,
    facts: { waiting: waitingFor(...times(40, (id) => waitingJob({ id }))) },
    ...{ demand: 3, floor: 1, desired: 3, compensated: 3 },
  },
  {
    what: '3: one job on rank 9 keeps ten nodes',
    size: 12,
    facts: busy('9'),
    ...{ demand: 1, floor: 10, desired: 10, compensated: 10 },
  },
  {
    what: '3: no node is kept when this job has ended',
    size: 12,
    facts: {},
    ...{ demand: 0, floor: 1, desired: 1, compensated: 1 },
  },
  {
    what: '4: ten busy nodes and a job for one more, which an HPA with the default tolerance would ignore',
    size: 10,
    facts: { ...busy('0-9'), waiting: waitingFor(wholeNodes(1)) },
    ...{ demand: 11, floor: 10, desired: 11, compensated: 12 },
  },
  {
    what: '5: a drained rank is passed over',
    size: 6,
    facts: { drained: parseIdset('2'), waiting: waitingFor(wholeNodes(6)) },
    ...{ demand: 6, floor: 1, desired: 7, compensated: 7 },
  },
]

for (const { what, size, facts, demand, floor, desired, compensated } of EXAMPLES) {
  test(`computeDemand, example ${what}`, () => {
    const found = demandFor(size, facts)
    assert.equal(demandedNodes(found.whole), demand)
    assert.equal(found.floor, floor)
    assert.equal(desiredFor(found), desired)
    assert.equal(compensatedSize(desired, size), compensated)
  })
}

test('computeDemand places jobs on free cores before it asks for more nodes', () => {
  const found = demandFor(4, {
    allocated: parseResourceSet({
      version: 1,
      execution: { R_lite: [{ rank: '0-3', children: { core: '0-13' } }] },
    }),
    waiting: waitingFor(...times(9, (id) => waitingJob({ id }))),
  })
  assert.equal(placedFor(found), '0-4')
  assert.equal(desiredFor(found), 5)
})

test('computeDemand tells where each of the first fifty jobs would go', () => {
  const jobs = times(60, (id) => waitingJob({ id: id + 1, priority: id === 0 ? 0 : 16 }))
  const { places } = demandFor(4, { waiting: waitingFor(...jobs) })
  assert.deepEqual(
    [places.size, places.has(1), places.has(50), places.has(51)],
    [49, false, true, false],
  )
  const place = places.get(2)
  assert.deepEqual(place?.kind === 'placed' && formatIdset(place.ranks), '0')
})

test('computeDemand counts a rank whose pod has ended as free, though Flux still has a job there', () => {
  const found = demandFor(4, { ...busy('0,7-9'), waiting: waitingFor(wholeNodes(4)) })
  assert.equal(formatIdset(found.busy), '0')
  assert.equal(found.floor, 1)
  assert.equal(placedFor(found), '1-4')
})

test('computeDemand keeps recently released ranks, and always rank 0', () => {
  const found = demandFor(8, { ...busy('2'), recent: parseIdset('5') })
  assert.equal(formatIdset(found.busy), '0,2,5')
  assert.equal(found.floor, 6)
  assert.equal(demandedNodes(found.whole), 1)
})

test('computeDemand places pending jobs on recently released ranks', () => {
  const found = demandFor(2, { recent: parseIdset('1'), waiting: waitingFor(wholeNodes(2)) })
  assert.equal(placedFor(found), '0-1')
})

/** Jobs that are no demand, and how they are counted. */
const NO_DEMAND_CASES: readonly {
  readonly what: string
  readonly job: WaitingJob
  readonly held?: number
  readonly infeasible?: number
}[] = [
  { what: 'a held job', job: wholeNodes(8, { priority: 0 }), held: 1 },
  { what: 'a job that waits for another', job: wholeNodes(8, { state: 'DEPEND' }) },
  {
    what: 'a job of priority 0 that waits for another',
    job: wholeNodes(8, { state: 'DEPEND', priority: 0 }),
  },
  {
    what: 'a job without a priority yet',
    job: wholeNodes(8, { state: 'PRIORITY', priority: undefined }),
  },
  { what: 'a job of a stopped queue', job: wholeNodes(8, { queue: 'stopped' }) },
  { what: 'more nodes than R has', job: wholeNodes(65), infeasible: 1 },
  {
    what: 'more cores than R has',
    job: waitingJob({ ncores: 1025, ntasks: 1025 }),
    infeasible: 1,
  },
  {
    what: 'more cores than a node has',
    job: waitingJob({ nnodes: 1, ncores: 17, ntasks: 1 }),
    infeasible: 1,
  },
  {
    what: 'a slot that no node has room for',
    job: waitingJob({ ntasks: 1, ncores: 17 }),
    infeasible: 1,
  },
]

for (const { what, job, held = 0, infeasible = 0 } of NO_DEMAND_CASES) {
  test(`computeDemand sees no demand in ${what}`, () => {
    const found = demandFor(4, {
      queues: new Map([['stopped', { started: false, ranks: undefined }]]),
      waiting: waitingFor(job),
    })
    assert.equal(desiredFor(found), 1)
    const { whole } = found
    assert.deepEqual(
      { placed: placedFor(found), nodes: whole.pendingNodes, cores: whole.pendingCores },
      { placed: '', nodes: 0, cores: 0 },
    )
    assert.deepEqual({ held: whole.held, infeasible: whole.infeasible }, { held, infeasible })
    assert.deepEqual(whole.waits, [])
  })
}

test('computeDemand still places the jobs after one that is no demand', () => {
  const jobs = [...NO_DEMAND_CASES.map(({ job }) => job), wholeNodes(2)]
  const found = demandFor(4, {
    queues: new Map([['stopped', { started: false, ranks: undefined }]]),
    waiting: waitingFor(...jobs),
  })
  assert.equal(placedFor(found), '0-1')
})

test('computeDemand does not add the ranks of a job that waits for others to end to theirs', () => {
  const found = demandFor(64, { ...busy('0-39'), waiting: waitingFor(wholeNodes(30)) })
  assert.equal(placedFor(found), '0-29')
  assert.equal(desiredFor(found), 40)
})

test('computeDemand counts the stopped anonymous queue as stopped', () => {
  const found = demandFor(4, {
    queues: new Map([['', { started: false, ranks: undefined }]]),
    waiting: waitingFor(wholeNodes(8)),
  })
  assert.equal(desiredFor(found), 1)
  assert.deepEqual([...found.queues.keys()], [])
})

/** Requests, with the pending nodes and cores that they count as, and the ranks that they would be given of four idle ones. */
const REQUESTS: readonly {
  readonly what: string
  readonly job: WaitingJob
  readonly nodes: number
  readonly cores: number
  readonly placed: string
}[] = [
  { what: 'whole nodes', job: wholeNodes(3), nodes: 3, cores: 48, placed: '0-2' },
  {
    what: 'nodes with some cores of each',
    job: waitingJob({ nnodes: 3, ntasks: 3, ncores: 12 }),
    ...{ nodes: 3, cores: 12, placed: '0-2' },
  },
  {
    what: 'cores that do not divide by the nodes, rounded up',
    job: waitingJob({ nnodes: 2, ntasks: 3, ncores: 3 }),
    ...{ nodes: 2, cores: 4, placed: '0-1' },
  },
  {
    what: 'only cores',
    job: waitingJob({ ntasks: 40, ncores: 40 }),
    ...{ nodes: 3, cores: 40, placed: '0-2' },
  },
  {
    what: 'tasks of several cores, which are not divided',
    job: waitingJob({ ntasks: 3, ncores: 27 }),
    ...{ nodes: 3, cores: 27, placed: '0-2' },
  },
  {
    what: 'tasks that share cores unevenly, by the cores',
    job: waitingJob({ ntasks: 2, ncores: 33 }),
    ...{ nodes: 3, cores: 33, placed: '0-2' },
  },
  {
    what: 'tasks alone, which say nothing of nodes, as every rank',
    job: waitingJob({ ntasks: 17, ncores: undefined }),
    ...{ nodes: 0, cores: 0, placed: '0-63' },
  },
  {
    what: 'nothing at all, as every rank',
    job: waitingJob({ ntasks: undefined, ncores: undefined }),
    ...{ nodes: 0, cores: 0, placed: '0-63' },
  },
  {
    what: 'a jobspec, which has precedence over the attributes',
    job: waitingJob({
      request: requestFor({ nodes: 2, slots: 4, cores: 3, gpus: 0, exclusive: false }),
    }),
    ...{ nodes: 2, cores: 12, placed: '0-1' },
  },
  {
    what: 'a jobspec of slots of which each node has room for one',
    job: waitingJob({
      request: requestFor({ nodes: undefined, slots: 8, cores: 9, gpus: 0, exclusive: false }),
    }),
    ...{ nodes: 8, cores: 72, placed: '0-7' },
  },
  {
    what: 'a jobspec of whole nodes',
    job: waitingJob({
      request: requestFor({ nodes: 2, slots: 2, cores: 1, gpus: 0, exclusive: true }),
    }),
    ...{ nodes: 2, cores: 32, placed: '0-1' },
  },
]

test('computeDemand counts whole nodes that have fewer cores than a job asks for, unless the scheduler is Fluxion, which refuses it', () => {
  const part = { nodes: 6, slots: 6, cores: 17, gpus: 0, exclusive: true }
  const waiting = waitingFor(waitingJob({ request: requestFor(part) }))
  const own = demandFor(4, { waiting })
  assert.deepEqual([formatIdset(own.whole.placed), own.whole.infeasible], ['0-5', 0])
  const fluxion = demandFor(4, { waiting, fluxion: {} })
  assert.deepEqual([formatIdset(fluxion.whole.placed), fluxion.whole.infeasible], ['', 1])
  const shared = requestFor({ ...part, exclusive: false })
  assert.equal(
    demandFor(4, { waiting: waitingFor(waitingJob({ request: shared })) }).whole.infeasible,
    1,
  )
})

test('computeDemand gives a job whole nodes with the GPUs of one slot, and counts all that it asks for', () => {
  const part = { nodes: 3, slots: 3, cores: 2, gpus: 8, exclusive: true }
  const demand = (leastGpus: number, fluxion?: DemandFacts['fluxion']) => {
    const waiting = waitingFor(waitingJob({ request: requestFor({ ...part, leastGpus }) }))
    const { whole } = demandFor(4, { ...GPU_NODES, waiting, fluxion })
    return [formatIdset(whole.placed), whole.infeasible, whole.pendingGpus]
  }
  assert.deepEqual(demand(4), ['0-2', 0, 24])
  assert.deepEqual(demand(5), ['', 1, 0])
  assert.deepEqual(demand(4, {}), ['', 1, 0])
})

for (const { what, job, nodes, cores, placed } of REQUESTS) {
  test(`computeDemand reads ${what}`, () => {
    const found = demandFor(4, { waiting: waitingFor(job) })
    const { pendingNodes, pendingCores } = found.whole
    assert.deepEqual(
      { nodes: pendingNodes, cores: pendingCores, placed: placedFor(found) },
      { nodes, cores, placed },
    )
  })
}

test('computeDemand places the jobs of a queue on the ranks of the queue', () => {
  const found = demandFor(8, {
    ...busy('3,5'),
    queues: new Map([
      ['batch', { started: true, ranks: parseIdset('0-3') }],
      ['debug', { started: true, ranks: parseIdset('4-7') }],
    ]),
    waiting: waitingFor(
      wholeNodes(2, { queue: 'debug' }),
      wholeNodes(5, { queue: 'debug' }),
      wholeNodes(1, { queue: 'batch' }),
      wholeNodes(1, { queue: 'batch', priority: 0 }),
    ),
  })
  assert.equal(placedFor(found), '0,4,6')
  const parts = [...found.queues].map(
    ([name, { allocated, placed, pendingNodes, held, infeasible }]) => [
      name,
      {
        allocated: formatIdset(allocated),
        placed: formatIdset(placed),
        pendingNodes,
        held,
        infeasible,
      },
    ],
  )
  assert.deepEqual(Object.fromEntries(parts), {
    batch: { allocated: '3', placed: '0', pendingNodes: 1, held: 1, infeasible: 0 },
    debug: { allocated: '5', placed: '4,6', pendingNodes: 2, held: 0, infeasible: 1 },
  })
  const { pendingNodes, held, infeasible } = found.whole
  assert.deepEqual([pendingNodes, held, infeasible], [3, 1, 1])
  assert.deepEqual(
    [...wantedSizes(found, (_, size) => size).queues],
    [
      ['batch', 6],
      ['debug', 7],
    ],
  )
})

test('computeDemand finds every job infeasible in a queue without ranks', () => {
  const found = demandFor(8, {
    queues: new Map([['gpu', { started: true, ranks: NO_RANKS }]]),
    waiting: waitingFor(waitingJob({ queue: 'gpu' })),
  })
  assert.equal(found.whole.infeasible, 1)
  assert.equal(desiredFor(found), 1)
})

test('computeDemand gives no rank to jobs of two queues', () => {
  const found = demandFor(2, {
    queues: new Map([
      ['batch', { started: true, ranks: undefined }],
      ['debug', { started: true, ranks: parseIdset('0-9') }],
    ]),
    waiting: waitingFor(wholeNodes(2, { queue: 'debug' }), wholeNodes(2, { queue: 'batch' })),
  })
  assert.equal(formatIdset(found.queues.get('debug')?.placed ?? NO_RANKS), '0-1')
  assert.equal(formatIdset(found.queues.get('batch')?.placed ?? NO_RANKS), '2-3')
})

test('computeDemand counts the jobs of an unknown queue only for all queues together', () => {
  const found = demandFor(2, {
    queues: new Map([['batch', { started: true, ranks: undefined }]]),
    waiting: waitingFor(wholeNodes(3, { queue: 'new' })),
  })
  assert.equal(found.whole.pendingNodes, 3)
  assert.equal(found.queues.get('batch')?.pendingNodes, 0)
})

const GPU_NODES = {
  all: ranksWith('0-7', { cores: '0-15', gpus: '0-3' }),
  offline: parseIdset('2-7'),
  ...busy(''),
}

/** A job of this number of slots, with a GPU each. */
function gpuJob(slots: number, known: boolean): WaitingJob {
  return waitingJob({
    ntasks: slots,
    ncores: slots,
    request: known
      ? requestFor({ nodes: undefined, slots, cores: 1, gpus: 1, exclusive: false })
      : undefined,
  })
}

const UNKNOWN = unknown('Flux does not show guests how many GPUs a job asks for')

test('computeDemand places GPUs as the jobspecs ask for them', () => {
  const found = demandFor(2, { ...GPU_NODES, waiting: waitingFor(gpuJob(9, true)) })
  assert.equal(placedFor(found), '0-2')
  assert.equal(found.whole.pendingGpus, 9)
  assert.equal(found.unknownPlaces, undefined)
})

test('computeDemand does not guess which ranks jobs of unknown GPUs would be given', () => {
  const waiting = { ...waitingFor(gpuJob(9, false)), unknownRequests: UNKNOWN }
  const found = demandFor(2, { ...GPU_NODES, waiting })
  assert.equal(found.unknownPlaces, UNKNOWN)
  assert.equal(found.unknownRequests, UNKNOWN)
  assert.equal(found.whole.pendingGpus, undefined)
  assert.equal(found.whole.pendingCores, 9)
})

test('computeDemand places a job of unknown GPUs as if it asked for all GPUs of its nodes', () => {
  const jobs = times(3, () => waitingJob({ nnodes: 1, ncores: 1 }))
  const waiting = { ...waitingFor(...jobs), unknownRequests: UNKNOWN }
  const found = demandFor(2, { ...GPU_NODES, waiting })
  assert.equal(placedFor(found), '0-2')
  assert.equal(found.unknownPlaces, undefined)
  assert.equal(found.whole.pendingGpus, undefined)
})

test('computeDemand passes over ranks with allocated GPUs for a job of unknown GPUs', () => {
  const allocated = parseResourceSet({
    version: 1,
    execution: { R_lite: [{ rank: '0', children: { core: '0', gpu: '0-3' } }] },
  })
  const waiting = { ...waitingFor(waitingJob({ nnodes: 1, ncores: 1 })), unknownRequests: UNKNOWN }
  const found = demandFor(2, { ...GPU_NODES, allocated, waiting })
  assert.equal(placedFor(found), '1')
})

test('computeDemand places a job of unknown GPUs on ranks without GPUs if R has too few ranks with GPUs', () => {
  const all = parseResourceSet({
    version: 1,
    execution: {
      R_lite: [
        { rank: '0-1', children: { core: '0-15', gpu: '0-3' } },
        { rank: '2-7', children: { core: '0-15' } },
      ],
    },
  })
  const waiting = { ...waitingFor(waitingJob({ nnodes: 3, ncores: 3 })), unknownRequests: UNKNOWN }
  const found = demandFor(2, { ...GPU_NODES, all, waiting })
  assert.equal(placedFor(found), '0-2')
  assert.equal(found.whole.infeasible, 0)
})

test('computeDemand counts every usable rank for a job of unknown GPUs if the ranks with GPUs are busy', () => {
  const all = parseResourceSet({
    version: 1,
    execution: {
      R_lite: [
        { rank: '0-1', children: { core: '0-15', gpu: '0-3' } },
        { rank: '2-7', children: { core: '0-15' } },
      ],
    },
  })
  const waiting = { ...waitingFor(wholeNodes(1), wholeNodes(1)), unknownRequests: UNKNOWN }
  const found = demandFor(2, { ...GPU_NODES, ...busy('0-1'), all, waiting })
  assert.equal(placedFor(found), '0-7')
})

test('computeDemand wants no rank for a job of unknown GPUs that needs a drained rank', () => {
  const waiting = { ...waitingFor(wholeNodes(8)), unknownRequests: UNKNOWN }
  const found = demandFor(2, { ...GPU_NODES, drained: parseIdset('7'), waiting })
  assert.equal(placedFor(found), '')
})

/** R of 8 ranks, with these GPUs on the first of them. */
function gpusOnFirst(...gpus: readonly string[]): Pick<DemandFacts, 'all'> {
  const ranks = times(8, (rank) => ({
    rank: `${rank}`,
    children: { core: '0-15', gpu: gpus[rank] ?? '' },
  }))
  return { all: parseResourceSet({ version: 1, execution: { R_lite: ranks } }) }
}

test('computeDemand counts every usable rank for a job of unknown GPUs if a rank with GPUs is drained: it may ask for none', () => {
  const waiting = { ...waitingFor(wholeNodes(2)), unknownRequests: UNKNOWN }
  const facts = { ...GPU_NODES, ...gpusOnFirst('0-3', '0-3'), drained: parseIdset('1'), waiting }
  assert.equal(placedFor(demandFor(2, facts)), '0,2-7')
})

test('computeDemand counts every usable rank for a job of unknown GPUs if ranks have different numbers of them', () => {
  const waiting = { ...waitingFor(wholeNodes(2)), unknownRequests: UNKNOWN }
  for (const gpus of [
    ['0-3', '', '0'],
    ['0', '', '0-3'],
  ]) {
    const found = demandFor(2, { ...GPU_NODES, ...gpusOnFirst(...gpus), waiting })
    assert.equal(placedFor(found), '0-7')
  }
})

test('computeDemand counts lost ranks, too, for a job of unknown GPUs that may need them', () => {
  const waiting = { ...waitingFor(wholeNodes(3)), unknownRequests: UNKNOWN }
  const all = gpusOnFirst('0-3', '0-3', '', '', '', '', '', '0')
  const facts = { ...GPU_NODES, ...all, lost: parseIdset('7'), waiting }
  assert.equal(placedFor(demandFor(2, facts)), '0-7')
})

test('computeDemand counts every usable rank for a job of unknown GPUs that does not fit beside the others, with or without', () => {
  const waiting = { ...waitingFor(wholeNodes(1), wholeNodes(3)), unknownRequests: UNKNOWN }
  const facts = { ...GPU_NODES, ...gpusOnFirst('0-3', '0-3'), ...busy('2-6'), waiting }
  assert.equal(placedFor(demandFor(7, { ...facts, offline: parseIdset('7') })), '0-7')
})

test('computeDemand is never less for guests than for the owner, who can read jobspecs', () => {
  const job = fc.record({
    nodes: fc.integer({ min: 1, max: 6 }),
    cores: fc.integer({ min: 1, max: 16 }),
    gpus: fc.nat(4),
    queue: fc.constantFrom('batch', 'debug', undefined),
  })
  const queues = new Map([
    ['batch', { started: true, ranks: undefined }],
    ['debug', { started: true, ranks: parseIdset('2-6') }],
  ])
  fc.assert(
    fc.property(fc.array(job, { maxLength: 12 }), arbitraryIds, (jobs, taken) => {
      const allocated = ranksWith(idsToText(new Set([...taken].filter((id) => id < 8))), {
        cores: '0-7',
        gpus: '0',
      })
      const demandAs = (isOwner: boolean) => {
        const waiting = jobs.map(({ nodes, cores, gpus, queue }) => {
          const request = requestFor({ nodes, slots: nodes, cores, gpus, exclusive: false })
          const attributes = { nnodes: nodes, ncores: nodes * cores, queue }
          return waitingJob({ ...attributes, request: isOwner ? request : undefined })
        })
        const facts = { queues, waiting: { ...waitingFor(...waiting), unknownRequests: UNKNOWN } }
        return demandFor(2, { ...GPU_NODES, offline: parseIdset('7'), allocated, ...facts })
      }
      const [guest, owner] = [demandAs(false), demandAs(true)]
      assert.ok(desiredFor(guest) >= desiredFor(owner))
      assert.ok(guest.whole.infeasible <= owner.whole.infeasible)
    }),
    { numRuns: runs(1000) },
  )
})

test('computeDemand has no sum of GPUs if those of one job are not known', () => {
  const known = requestFor({ nodes: 1, slots: 2, cores: 1, gpus: 2, exclusive: false })
  const sumOf = (...requests: WaitingJob['request'][]) => {
    const jobs = requests.map((request) => waitingJob({ nnodes: 1, request }))
    const waiting = { ...waitingFor(...jobs), unknownRequests: UNKNOWN }
    return demandFor(2, { ...GPU_NODES, waiting }).whole.pendingGpus
  }
  assert.equal(sumOf(known, known), 8)
  assert.equal(sumOf(known, undefined, known), undefined)
})

test('computeDemand has no sum of GPUs if it is not known what a job needs, unless R has none', () => {
  const odd = waitingFor(waitingJob({ request: unknown('an odd shape') }))
  assert.equal(demandFor(2, { ...GPU_NODES, waiting: odd }).whole.pendingGpus, undefined)
  assert.equal(demandFor(2, { waiting: odd }).whole.pendingGpus, 0)
})

test('computeDemand does not need the GPUs of jobs that are no demand', () => {
  const waiting = {
    ...waitingFor(gpuJob(1, true), { ...gpuJob(1, false), priority: 0 }),
    unknownRequests: UNKNOWN,
  }
  const found = demandFor(2, { ...GPU_NODES, waiting })
  assert.equal(found.unknownPlaces, undefined)
  assert.equal(found.whole.pendingGpus, 1)
})

test('computeDemand asks for all of R while the list of jobs is cut', () => {
  const found = demandFor(4, {
    waiting: { ...waitingFor(waitingJob()), total: 2, lacksStartable: true },
  })
  assert.deepEqual([found.isCut, found.isListCut], [true, true])
  assert.equal(desiredFor(found), 64)
})

test('computeDemand does not ask for all of R if only jobs are missing that could not start', () => {
  const found = demandFor(4, { waiting: { ...waitingFor(waitingJob()), total: 10_001 } })
  assert.deepEqual([found.isCut, found.isListCut], [false, true])
  assert.equal(desiredFor(found), 1)
})

test('computeDemand places a job on the ranks that it accepts', () => {
  const request = { ...requestFor({ nodes: 1, slots: 1, cores: 1, gpus: 0, exclusive: false }) }
  const job = waitingJob({ nnodes: 1, request: { ...request, ranks: parseIdset('40-43') } })
  const found = demandFor(4, { waiting: waitingFor(job, job, wholeNodes(1)) })
  assert.equal(placedFor(found), '0,40')
  assert.equal(desiredFor(found), 41)
  const nowhere = { ...request, ranks: NO_RANKS }
  const impossible = demandFor(4, { waiting: waitingFor(waitingJob({ request: nowhere })) })
  assert.deepEqual([impossible.whole.infeasible, desiredFor(impossible)], [1, 1])
})

test('computeDemand places the ranks that a job accepts within those of its queue', () => {
  const queues = new Map([['debug', { started: true, ranks: parseIdset('0-9') }]])
  const request = requestFor({ nodes: 2, slots: 2, cores: 1, gpus: 0, exclusive: false })
  const job = { queue: 'debug', request: { ...request, ranks: parseIdset('8-20') } }
  const found = demandFor(4, { queues, waiting: waitingFor(waitingJob(job)) })
  assert.equal(placedFor(found), '8-9')
})

test('computeDemand counts a job of unknown needs with every rank that it may be given, and says why', () => {
  const reason = unknown('Cannot read jobspec')
  const odd = waitingJob({ request: reason })
  const found = demandFor(4, { waiting: waitingFor(odd, wholeNodes(2)) })
  assert.equal(desiredFor(found), 64)
  assert.deepEqual(found.unknownNeeds, reason)
  assert.equal(found.whole.waits.length, 2)
})

test('computeDemand gives a node to one job only under a match policy of whole nodes', () => {
  const fluxion = { queuePolicy: 'easy', matchPolicy: 'lonodex', pruneFilters: undefined }
  const waiting = waitingFor(waitingJob(), waitingJob(), waitingJob())
  assert.equal(placedFor(demandFor(4, { fluxion, waiting })), '0-2')
  assert.equal(placedFor(demandFor(4, { waiting })), '0')
})

/** Ranks that no job is given. */
const UNUSABLE: readonly (readonly [what: string, facts: Changes, placed: string])[] = [
  ['drained ranks', { drained: parseIdset('1-2') }, '0,3-4'],
  ['torpid ranks', { torpid: parseIdset('1-2') }, '0,3-4'],
  ['ranks that are down for the scheduler alone', { closed: parseIdset('1-2') }, '0,3-4'],
  ['lost ranks', { lost: parseIdset('0,2') }, '1,3-4'],
  ['lost ranks that were drained', { lost: parseIdset('2'), drained: parseIdset('2') }, '0-1,3'],
]

for (const [what, facts, placed] of UNUSABLE) {
  test(`computeDemand passes over ${what}`, () => {
    assert.equal(placedFor(demandFor(6, { ...facts, waiting: waitingFor(wholeNodes(3)) })), placed)
  })
}

test('computeDemand wants lost ranks for a job of which nobody knows what it needs, but never drained ones', () => {
  const job = waitingJob({ ntasks: undefined, ncores: undefined })
  const changes = { lost: parseIdset('40-63'), drained: parseIdset('50') }
  const found = demandFor(6, { ...changes, waiting: waitingFor(job) })
  assert.equal(placedFor(found), '0-49,51-63')
})

test('computeDemand wants lost ranks for a job that needs them, but never drained ones', () => {
  const waiting = waitingFor(wholeNodes(64))
  assert.equal(desiredFor(demandFor(6, { lost: parseIdset('3-5'), waiting })), 64)
  assert.equal(desiredFor(demandFor(6, { drained: parseIdset('3-5'), waiting })), 1)
})

test('computeDemand is never below the quorum and never beyond R', () => {
  assert.equal(desiredFor(demandFor(1, { quorum: 3 })), 3)
  assert.equal(desiredFor(demandFor(1, { quorum: 100 })), 64)
})

test('computeDemand lists how long eligible jobs have waited, the longest first, never less than 0', () => {
  const at = (second: number) => Date.parse('2026-11-24T01:02:00Z') / 1000 + second
  const submitted = [11, 3.5, 20, 7].map((second) => waitingJob({ submittedAt: at(second) }))
  const held = waitingJob({ submittedAt: at(0), priority: 0 })
  const { whole } = demandFor(1, { waiting: waitingFor(...submitted, held) })
  assert.deepEqual(whole.waits, [9.5, 6, 2, 0])
})

test('computeDemand reports the first estimate of the scheduler, and 0 for one in the past', () => {
  const at = (second: number) => Date.parse('2026-11-24T01:02:00Z') / 1000 + second
  const first = (...estimates: (number | undefined)[]) => {
    const jobs = estimates.map((startEstimate) => waitingJob({ startEstimate }))
    return demandFor(1, { waiting: waitingFor(...jobs) }).whole.startSeconds
  }
  assert.equal(first(undefined, at(23), at(14)), 10)
  assert.equal(first(at(3), at(14)), 0)
  assert.equal(first(undefined), undefined)
})

test('computeDemand of an R with a gap reaches its highest rank', () => {
  const found = demandFor(2, {
    all: ranksWith('0,5', { cores: '0-3' }),
    offline: parseIdset('1-5'),
    waiting: waitingFor(wholeNodes(2)),
  })
  assert.equal(found.maximum, 6)
  assert.equal(placedFor(found), '0,5')
  assert.equal(desiredFor(found), 6)
})

test('computeDemand estimates nodes from the cores of the largest node', () => {
  const all = parseResourceSet({
    version: 1,
    execution: {
      R_lite: [
        { rank: '0', children: { core: '0-1' } },
        { rank: '1-3', children: { core: '0-7' } },
      ],
    },
  })
  const found = demandFor(1, { all, waiting: waitingFor(waitingJob({ ntasks: 9, ncores: 9 })) })
  assert.equal(found.whole.pendingNodes, 2)
  assert.equal(placedFor(found), '0-1')
})

test('a rank that was excluded while a job runs there keeps its place, above all ranks of R', () => {
  const facts = { all: ranksWith('0-7', { cores: '0-15' }), ...busy('9') }
  const demand = demandFor(12, { ...facts, offline: parseIdset('12-63') })
  assert.deepEqual([demand.floor, demand.maximum, desiredFor(demand)], [10, 10, 10])
  assert.equal(demandedNodes(demand.whole), 1)
  const waiting = waitingFor(wholeNodes(9))
  const tooWide = demandFor(12, { ...facts, offline: parseIdset('12-63'), waiting })
  assert.deepEqual([tooWide.whole.infeasible, desiredFor(tooWide)], [1, 10])
})

test('a rank that was excluded and left holds no size, though its job is not cleaned up yet', () => {
  const facts = { all: ranksWith('0-7', { cores: '0-15' }), ...busy('9') }
  const demand = demandFor(12, { ...facts, offline: parseIdset('9-63') })
  assert.deepEqual([demand.floor, demand.maximum], [1, 8])
})

test('a job whose needs are not known counts in its own queue, also if another queue shares its ranks', () => {
  const open = { started: true, ranks: undefined }
  const jobs = ['batch', 'debug', 'debug'].map((queue) =>
    waitingJob({ queue, request: unknown('of a shape that is not known') }),
  )
  const queues = new Map(['batch', 'debug', 'idle'].map((name) => [name, open]))
  const demand = demandFor(4, { queues, waiting: waitingFor(...jobs) })
  const placed = (name: string) => formatIdset(demand.queues.get(name)?.placed ?? NO_RANKS)
  assert.deepEqual(['batch', 'debug', 'idle'].map(placed), ['0-63', '0-63', ''])
})

test('ranks that many jobs are given count once, also where their ranges touch and overlap', () => {
  const jobs = ['0-5', '3-9', '10', '20-30', '20-30', '63'].map((ranks) => {
    const slots = countIds(parseIdset(ranks))
    const part = { nodes: slots, slots, cores: 1, gpus: 0, exclusive: false }
    return waitingJob({ request: { ways: [[part]], ranks: parseIdset(ranks) } })
  })
  const { whole } = demandFor(4, { waiting: waitingFor(...jobs) })
  assert.equal(formatIdset(whole.placed), '0-10,20-30,63')
})

test('more different constraints on more fragmented ranks than can be looked at make the list count as cut', () => {
  const odd = Array.from({ length: 32 }, (_, index) => 2 * index).join()
  const jobs = Array.from({ length: 8_000 }, () => {
    const part = { nodes: undefined, slots: 1, cores: 1, gpus: 0, exclusive: false }
    return waitingJob({ request: { ways: [[part]], ranks: parseIdset(odd) } })
  })
  assert.equal(demandFor(4, { waiting: waitingFor(...jobs.slice(0, 100)) }).isCut, false)
  const demand = demandFor(4, { waiting: waitingFor(...jobs) })
  assert.equal(demand.isCut, true)
  assert.equal(wantedSizes(demand, (_, size) => size).whole, 64)
})
