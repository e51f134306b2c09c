// Why the scheduler refused jobs: which of them more nodes would have helped, as the owner and as a guest.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdset } from '#flux/sets/idset.ts'
import type { EndedJob, Facts } from '#reading/facts.ts'
import { isUnknown, unknown } from '#reading/unknown.ts'
import { refusalsOf } from '#scaling/refusals.ts'
import { factsOf, ranksWith } from '../support/snapshots.ts'
import { requestFor } from '../support/waiting.ts'

const FCFS = { queuePolicy: 'fcfs', matchPolicy: 'lonode', pruneFilters: undefined }

function refused(changes: Partial<EndedJob>): EndedJob {
  const why = { exceptionType: 'alloc', exceptionNote: 'alloc denied due to type="unsatisfiable"' }
  return { id: 1, queue: undefined, inactiveAt: 0, ...why, upThen: 4, ...changes }
}

/** The cause of one refusal. R has 16 nodes of 8 cores, without GPUs; queue `debug` has four of them. */
function causeOf(job: Partial<EndedJob>, changes: Partial<Facts> = {}): string {
  const queues = new Map([['debug', { started: true, ranks: parseIdset('12-15') }]])
  const refusals = refusalsOf(
    factsOf({ fluxion: FCFS, queues, failed: [refused(job)], ...changes }),
  )
  assert.ok(!isUnknown(refusals))
  const { forNodes, forGood, unclear, reason } = refusals
  assert.equal(forNodes.length + forGood.length + unclear.length, 1)
  assert.equal(reason !== undefined, unclear.length > 0)
  return forNodes.length > 0 ? 'nodes' : forGood.length > 0 ? 'R' : 'unclear'
}

const NODES = { nodes: 6, slots: 6, cores: 1, gpus: 0, exclusive: false }
const SLOTS = { nodes: undefined, slots: 6, cores: 1, gpus: 0, exclusive: false }

const AS_OWNER: readonly (readonly [what: string, job: Partial<EndedJob>, cause: string])[] = [
  ['-N6 with four up', { request: requestFor(NODES) }, 'nodes'],
  ['-N17', { request: requestFor({ ...NODES, nodes: 17, slots: 17 }) }, 'R'],
  ['-N1 -c9', { request: requestFor({ ...NODES, nodes: 1, slots: 1, cores: 9 }) }, 'R'],
  ['-n1 -g1, without GPUs in R', { request: requestFor({ ...SLOTS, slots: 1, gpus: 1 }) }, 'R'],
  [
    '-N2 -g1, without GPUs in R',
    { request: requestFor({ ...NODES, nodes: 2, slots: 2, gpus: 1 }) },
    'R',
  ],
  ['-n129', { request: requestFor({ ...SLOTS, slots: 129 }) }, 'R'],
  ['-N6 in a queue of four', { queue: 'debug', request: requestFor(NODES) }, 'R'],
  ['-N6 on five ranks', { request: { ...requestFor(NODES), ranks: parseIdset('3-7') } }, 'R'],
  [
    '-N6 in a queue that has two of the ranks that it accepts',
    { queue: 'debug', request: { ...requestFor(NODES), ranks: parseIdset('3-13') } },
    'R',
  ],
  ['a jobspec that cannot be read', { request: unknown('Cannot read jobspec') }, 'unclear'],
]

for (const [what, job, cause] of AS_OWNER) {
  test(`refusalsOf as the owner finds ${cause} to be the cause of refusing ${what}`, () => {
    assert.equal(causeOf(job), cause)
  })
}

const AS_GUEST: readonly (readonly [what: string, job: Partial<EndedJob>, cause: string])[] = [
  ['-N6 with four up', { nnodes: 6, ncores: 6 }, 'nodes'],
  ['-N6 --exclusive with four up', { nnodes: 6 }, 'nodes'],
  ['-N17', { nnodes: 17, ncores: 17 }, 'R'],
  ['-N2 -c9', { nnodes: 2, ntasks: 2, ncores: 18 }, 'R'],
  ['-N2 with four up, for GPUs or constraints', { nnodes: 2, ncores: 2 }, 'unclear'],
  ['-n1 -g1: cores are never too few for a while', { ntasks: 1, ncores: 1 }, 'R'],
  ['a shape that job-list does not show', {}, 'unclear'],
]

for (const [what, job, cause] of AS_GUEST) {
  test(`refusalsOf as a guest finds ${cause} to be the cause of refusing ${what}`, () => {
    assert.equal(causeOf(job), cause)
  })
}

test('refusalsOf takes every job that another scheduler than Fluxion refuses for one that R cannot satisfy', () => {
  assert.equal(causeOf({ nnodes: 6, ncores: 6 }, { fluxion: undefined }), 'R')
})

test('refusalsOf with GPUs in R compares them, too', () => {
  const all = ranksWith('0-15', { cores: '0-7', gpus: '0-1' })
  const part = { ...NODES, nodes: 6, slots: 6 }
  assert.equal(causeOf({ request: requestFor({ ...part, gpus: 2 }) }, { all }), 'nodes')
  assert.equal(causeOf({ request: requestFor({ ...part, gpus: 3 }) }, { all }), 'R')
})

test('refusalsOf counts no other failed job, and knows nothing if the failed jobs are not known', () => {
  const exec = refused({ exceptionType: 'exec' })
  const none = { forNodes: [], forGood: [], unclear: [], reason: undefined }
  assert.deepEqual(refusalsOf(factsOf({ fluxion: FCFS, failed: [exec] })), none)
  const failed = unknown('too many jobs failed')
  assert.equal(refusalsOf(factsOf({ failed })), failed)
})

/** 999 refused jobs of two queues, each of which has every other of 10,000 ranks. */
function refusalsOfMany(request: (index: number) => EndedJob['request']) {
  const everyOther = (first: number) =>
    parseIdset(Array.from({ length: 5_000 }, (_, index) => first + 2 * index).join())
  const [even, odd] = [0, 1].map((first) => ({ started: true, ranks: everyOther(first) }))
  assert.ok(even && odd)
  const failed = Array.from({ length: 999 }, (_, index) =>
    refused({ id: index, queue: index % 2 === 0 ? 'even' : 'odd', request: request(index) }),
  )
  const queues = new Map([
    ['even', even],
    ['odd', odd],
  ])
  const refusals = refusalsOf(
    factsOf({ fluxion: FCFS, all: ranksWith('0-9999', { cores: '0-7' }), queues, failed }),
  )
  assert.ok(!isUnknown(refusals))
  return refusals
}

test('refusalsOf compares any number of jobs of a few kinds', () => {
  const { forNodes, forGood, unclear } = refusalsOfMany((index) => {
    const count = 1 + (index % 50)
    return requestFor({ ...NODES, nodes: count, slots: count, cores: index % 10 === 9 ? 9 : 1 })
  })
  assert.deepEqual([forNodes.length, forGood.length, unclear.length], [900, 99, 0])
})

test('refusalsOf leaves jobs unclear that are too many and too different', () => {
  const own = (index: number) => ({
    ...requestFor(NODES),
    ranks: parseIdset(Array.from({ length: 100 }, (_, at) => 2 * at + 20 * index).join()),
  })
  const { unclear, reason } = refusalsOfMany(own)
  assert.ok(unclear.length > 900, `${unclear.length} are unclear`)
  assert.match(reason?.reason ?? '', /^the refused jobs are too many and too different/)
})

test('the refusals of a reading are worked out once, however many ask for them', () => {
  const facts = factsOf({ fluxion: FCFS, failed: [refused({ request: requestFor(NODES) })] })
  assert.equal(refusalsOf(facts), refusalsOf(facts))
})
