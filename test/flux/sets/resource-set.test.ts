// Resource sets: every recorded status of a broker, compared with a naive reader, and hostile R.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { FluxError } from '#flux/errors.ts'
import { EMPTY_IDSET, formatIdset, parseIdset } from '#flux/sets/idset.ts'
import {
  countCores,
  countGpus,
  countNodes,
  EMPTY_RESOURCE_SET,
  parseResourceSet,
  type ResourceSet,
  ranksOf,
  restrictToRanks,
  subtractResourceSets,
} from '#flux/sets/resource-set.ts'
import { arbitraryIds, arbitraryR, idsToText } from '../../support/arbitraries.ts'
import { runs } from '../../support/runs.ts'

const RECORDINGS = new URL('../../recordings/flux-decoded/', import.meta.url)

test('parseResourceSet reads ranks, cores and GPUs, in the order of the ranks', () => {
  const set = parseResourceSet(
    r([entry('5', { core: '7' }), entry('0-1,3', { gpu: '0-1', core: '0-7' })]),
  )
  const cores = { ranges: [{ first: 0, last: 7 }] }
  const gpus = { ranges: [{ first: 0, last: 1 }] }
  assert.deepEqual(set, {
    segments: [
      { first: 0, last: 1, cores, gpus },
      { first: 3, last: 3, cores, gpus },
      { first: 5, last: 5, cores: { ranges: [{ first: 7, last: 7 }] }, gpus: { ranges: [] } },
    ],
  })
})

test('entries for the same rank are added up', () => {
  const set = parseResourceSet(
    r([
      entry('0-3', { core: '0-1' }),
      entry('2-5', { core: '1-2', gpu: '0' }),
      entry('3', { core: '9' }),
    ]),
  )
  assert.deepEqual(toCounts(set), { nodes: 6, cores: 4 + 3 + 4 + 4, gpus: 4 })
})

for (const [name, value] of [
  ['null, as Fluxion writes it', null],
  ['undefined', undefined],
  ['no entries and one empty node list', { version: 1, execution: { R_lite: [], nodelist: [''] } }],
  ['no entries and no node list', r([])],
  ['an entry of no ranks', r([entry('', { core: '0-7' })])],
] as const) {
  test(`parseResourceSet reads ${name} as the empty set`, () => {
    assert.deepEqual(parseResourceSet(value), EMPTY_RESOURCE_SET)
  })
}

test('a rank without cores and GPUs is not a node, whatever other children it has', () => {
  const set = parseResourceSet(r([entry('0-3', { core: '' }), entry('4', { nvme: '0', fpga: 3 })]))
  assert.deepEqual(set, EMPTY_RESOURCE_SET)
})

const REFUSED: readonly (readonly [value: unknown, complaint: string])[] = [
  [[], 'Cannot read R: expected an object or null, got an array'],
  ['{}', 'Cannot read R: expected an object or null, got "{}"'],
  [{}, 'Cannot read R at version: expected 1, got nothing'],
  [{ version: 2, execution: { R_lite: [] } }, 'Cannot read R at version: expected 1, got 2'],
  [{ version: 1 }, 'Cannot read R at execution: expected an object, got nothing'],
  [
    { version: 1, execution: {} },
    'Cannot read R at execution.R_lite: expected an array, got nothing',
  ],
  [
    { version: 1, execution: { R_lite: {} } },
    'Cannot read R at execution.R_lite: expected an array, got a value of type object',
  ],
  [r([null]), 'Cannot read R at execution.R_lite[0]: expected an object, got nothing'],
  [
    r([entry(0, { core: '0' })]),
    'Cannot read R at execution.R_lite[0].rank: expected an idset, got 0',
  ],
  [
    r([{ rank: '0' }]),
    'Cannot read R at execution.R_lite[0].children: expected an object, got nothing',
  ],
  [
    r([entry('0', {}), entry('1', { core: 2n })]),
    'Cannot read R at execution.R_lite[1].children.core: expected an idset, got a value of type bigint',
  ],
  [
    r([entry('0', { core: '0', gpu: null })]),
    'Cannot read R at execution.R_lite[0].children.gpu: expected an idset, got nothing',
  ],
  [
    r([entry('0', { core: '1-' })]),
    'Cannot read R at execution.R_lite[0].children.core: Cannot parse idset "1-": expected a digit at position 2',
  ],
]

for (const [value, message] of REFUSED) {
  test(`parseResourceSet refuses with: ${message}`, () => {
    assert.throws(() => parseResourceSet(value), {
      name: 'FluxError',
      code: 'FLUX_PROTOCOL',
      message,
    })
  })
}

test('all ids of a rank are counted without being expanded, and a sum over 2^53 is refused', () => {
  const one = parseResourceSet(r([entry('0', { core: '0-4294967295' })]))
  assert.equal(countCores(one), 2 ** 32)
  const all = parseResourceSet(r([entry('0-4294967295', { core: '0-4294967295' })]))
  assert.equal(countNodes(all), 2 ** 32)
  assert.throws(() => countCores(all), {
    code: 'FLUX_PROTOCOL',
    message: 'Cannot count resources: expected at most 9007199254740991, got more',
  })
})

const everySecond = Array.from({ length: 50_000 }, (_, index) => index * 2).join(',')
const nested = Array.from({ length: 5000 }, (_, i) =>
  entry(`${i}-${100_000 - i}`, { core: `${i}` }),
)

for (const [name, value] of [
  ['as many fragments in a rank as ranks', r([entry(everySecond, { core: everySecond })])],
  ['thousands of entries around the same ranks', r(nested)],
] as const) {
  test(`parseResourceSet refuses ${name}`, () => {
    assert.throws(() => parseResourceSet(value), {
      code: 'FLUX_PROTOCOL',
      message: 'Cannot read R: expected ranges that take at most 500000 steps to compare, got more',
    })
  })
}

test('subtractResourceSets refuses sets with too many fragments of ranks and cores', () => {
  const fragmentedCores = parseResourceSet(r([entry('0-99999', { core: everySecond })]))
  const fragmentedRanks = parseResourceSet(r([entry(everySecond, { core: '0' })]))
  assert.throws(() => subtractResourceSets(fragmentedCores, fragmentedRanks), {
    code: 'FLUX_PROTOCOL',
    message: /^Cannot subtract resource sets: /,
  })
})

test('parseResourceSet reads overlapping entries in any order like the naive reader', () => {
  fc.assert(
    fc.property(arbitraryR, (value) => {
      assert.deepEqual(toNaive(parseResourceSet(value)), readNaively(value))
    }),
  )
})

test('subtractResourceSets and the counts agree with the naive reader', () => {
  fc.assert(
    fc.property(arbitraryR, arbitraryR, (a, b) => {
      const difference = subtractResourceSets(parseResourceSet(a), parseResourceSet(b))
      const naive = subtractNaively(readNaively(a), readNaively(b))
      assert.deepEqual(toNaive(difference), naive)
      assert.deepEqual(toCounts(difference), countNaively(naive))
      assert.deepEqual(toRanks(difference), [...naive.keys()])
    }),
  )
})

test('restrictToRanks keeps the cores and GPUs of these ranks unchanged', () => {
  const set = parseResourceSet(
    r([entry('0-3', { core: '0-7' }), entry('5,7-8', { core: '0-1', gpu: '0' })]),
  )
  const kept = restrictToRanks(set, parseIdset('2-7,9'))
  assert.equal(formatIdset(ranksOf(kept)), '2-3,5,7')
  assert.deepEqual(toCounts(kept), { nodes: 4, cores: 20, gpus: 2 })
  assert.deepEqual(restrictToRanks(set, EMPTY_IDSET), { segments: [] })
  assert.deepEqual(restrictToRanks(EMPTY_RESOURCE_SET, parseIdset('0-9')), { segments: [] })
})

test('restrictToRanks agrees with the naive reader', () => {
  fc.assert(
    fc.property(arbitraryR, arbitraryIds, (value, ids) => {
      const kept = restrictToRanks(parseResourceSet(value), parseIdset(idsToText(ids)))
      const naive = [...readNaively(value)].filter(([rank]) => ids.has(rank))
      assert.deepEqual(toNaive(kept), new Map(naive))
    }),
  )
})

test('parseResourceSet reads any value, or refuses it with FLUX_PROTOCOL', () => {
  const nearly = fc.array(
    fc.oneof(fc.anything(), fc.record({ rank: fc.anything(), children: fc.anything() })),
  )
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.jsonValue(), nearly.map(r)), (value) => {
      try {
        parseResourceSet(value)
      } catch (error) {
        if (!(error instanceof FluxError)) throw error
        assert.equal(error.code, 'FLUX_PROTOCOL')
      }
    }),
    { numRuns: runs(3_000) },
  )
})

/** Counts worked out by hand from the descriptions of the recordings and from their jobs. */
const KNOWN = {
  // Rank 0 has a job on 2 of 8 cores, 1 is free, 2 drained with a job on 2 cores, 3 offline, 4 excluded, 5 drained.
  '0.88.0/drain-resource-list-cli.json': {
    all: { nodes: 5, cores: 40, gpus: 10 },
    up: { nodes: 2, cores: 16, gpus: 4 },
    down: { nodes: 3, cores: 24, gpus: 6 },
    allocated: { nodes: 2, cores: 4, gpus: 0 },
    free: { nodes: 2, cores: 14, gpus: 4 },
  },
  // 4 nodes of 8 cores and 2 GPUs; jobs on all cores of ranks 0 and 1, on 2 cores and both GPUs of 2, on 2 cores of 3.
  '0.88.0/resource-list-cli.json': {
    all: { nodes: 4, cores: 32, gpus: 8 },
    up: { nodes: 4, cores: 32, gpus: 8 },
    down: { nodes: 0, cores: 0, gpus: 0 },
    allocated: { nodes: 4, cores: 20, gpus: 2 },
    free: { nodes: 4, cores: 12, gpus: 6 },
  },
  // 5 hosts of 4 cores, the first excluded; jobs on all cores of rank 2 and on one of rank 3.
  '0.88.0-fluxion/hosts-odd-resource-list-cli.json': {
    all: { nodes: 4, cores: 16, gpus: 0 },
    up: { nodes: 4, cores: 16, gpus: 0 },
    down: { nodes: 0, cores: 0, gpus: 0 },
    allocated: { nodes: 2, cores: 5, gpus: 0 },
    free: { nodes: 3, cores: 11, gpus: 0 },
  },
} as const

for (const [file, counts] of Object.entries(KNOWN)) {
  test(`${file} has the counts of its description`, () => {
    const [status] = recordedStatuses(file)
    assert.ok(status)
    assert.deepEqual(countStates(status), counts)
  })
}

const recorded = readdirSync(RECORDINGS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .sort()
  .map((file) => ({ file, statuses: recordedStatuses(file) }))
  .filter(({ statuses }) => statuses.length > 0)

test('the recordings have many statuses of each kind of broker', () => {
  const folders = new Set(recorded.map(({ file }) => file.split('/')[0]))
  assert.deepEqual(folders, new Set(['0.51.0', '0.88.0', '0.88.0-fluxion']))
  assert.ok(recorded.length > 90, `only ${recorded.length}`)
})

for (const { file, statuses } of recorded) {
  test(`${file} is counted like the naive reader counts it`, () => {
    for (const status of statuses) {
      assert.deepEqual(countStates(status), countStatesNaively(status))
    }
  })
}

/** The answer of `resource.sched-status` or of `sched.resource-status`. */
interface Status {
  readonly all: PlainR
  readonly down: PlainR | null
  readonly allocated: PlainR | null
}

/** R for the naive reader, which checks nothing. */
interface PlainR {
  readonly execution: {
    readonly R_lite: readonly {
      readonly rank: string
      readonly children: { readonly core?: string; readonly gpu?: string }
    }[]
  }
}

function recordedStatuses(file: string): Status[] {
  const { messages = [] } = JSON.parse(readFileSync(new URL(file, RECORDINGS), 'utf8'))
  const statuses: Status[] = []
  for (const { dir, topic, payload } of messages) {
    if (dir !== 's2c' || !/^(resource\.sched|sched\.resource)-status$/.test(topic)) continue
    if (payload?.all === undefined) continue
    const { all, down, allocated } = payload
    statuses.push({ all, down, allocated })
  }
  return statuses
}

function countStates(status: Status): Record<string, Counts> {
  const all = parseResourceSet(status.all)
  const down = parseResourceSet(status.down)
  const allocated = parseResourceSet(status.allocated)
  const up = subtractResourceSets(all, down)
  const free = subtractResourceSets(up, allocated)
  const states = { all, up, down, allocated, free }
  return Object.fromEntries(Object.entries(states).map(([state, set]) => [state, toCounts(set)]))
}

function countStatesNaively(status: Status): Record<string, Counts> {
  const all = readNaively(status.all)
  const down = readNaively(status.down)
  const allocated = readNaively(status.allocated)
  const up = subtractNaively(all, down)
  const free = subtractNaively(up, allocated)
  const states = { all, up, down, allocated, free }
  return Object.fromEntries(
    Object.entries(states).map(([state, set]) => [state, countNaively(set)]),
  )
}

interface Counts {
  readonly nodes: number
  readonly cores: number
  readonly gpus: number
}

function toCounts(set: ResourceSet): Counts {
  return { nodes: countNodes(set), cores: countCores(set), gpus: countGpus(set) }
}

/** Every core and GPU of every rank, by name ("core3"). Ranks ascend, and each has at least one core or GPU. */
type Naive = Map<number, Set<string>>

function readNaively(value: PlainR | null): Naive {
  const naive: Naive = new Map()
  for (const { rank, children } of value?.execution.R_lite ?? []) {
    const names = (['core', 'gpu'] as const).flatMap((type) =>
      expandNaively(children[type] ?? '').map((id) => `${type}${id}`),
    )
    for (const id of expandNaively(rank)) {
      naive.set(id, new Set([...(naive.get(id) ?? []), ...names]))
    }
  }
  return tidied(naive)
}

function subtractNaively(a: Naive, b: Naive): Naive {
  const left = [...a].map(
    ([rank, names]) => [rank, names.difference(b.get(rank) ?? new Set())] as const,
  )
  return tidied(new Map(left))
}

function countNaively(naive: Naive): Counts {
  const names = [...naive.values()].flatMap((each) => [...each])
  const cores = names.filter((name) => name.startsWith('core')).length
  return { nodes: naive.size, cores, gpus: names.length - cores }
}

function toNaive(set: ResourceSet): Naive {
  const naive: Naive = new Map()
  for (const { first, last, cores, gpus } of set.segments) {
    for (let rank = first; rank <= last; rank += 1) {
      assert.ok(!naive.has(rank), `rank ${rank} is in two segments`)
      const coreNames = expandNaively(formatIdset(cores)).map((id) => `core${id}`)
      const gpuNames = expandNaively(formatIdset(gpus)).map((id) => `gpu${id}`)
      naive.set(rank, new Set([...coreNames, ...gpuNames]))
    }
  }
  return naive
}

function toRanks(set: ResourceSet): number[] {
  return expandNaively(formatIdset(ranksOf(set)))
}

function tidied(naive: Naive): Naive {
  return new Map([...naive].filter(([, names]) => names.size > 0).sort(([a], [b]) => a - b))
}

function expandNaively(idset: string): number[] {
  if (idset === '') return []
  return idset.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

function r(entries: readonly unknown[]): { version: number; execution: { R_lite: unknown } } {
  return { version: 1, execution: { R_lite: entries } }
}

function entry(rank: unknown, children: Record<string, unknown>): unknown {
  return { rank, children }
}
