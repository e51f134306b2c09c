// The metrics to scale on, each computed from snapshots in which it has a telling value.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdset } from '#flux/sets/idset.ts'
import type { Selection } from '#metrics/metric.ts'
import { SCALING_METRICS } from '#metrics/scaling-metrics.ts'
import type { EndedJob, Facts, WaitingJob } from '#reading/facts.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import type { Snapshot } from '#scaling/snapshot.ts'
import { factsOf, ranksWith, snapshotOf } from '../support/snapshots.ts'
import { requestFor, waitingFor, waitingJob, wholeNodes } from '../support/waiting.ts'

const TAKEN_AT = factsOf().takenAt.getTime() / 1000

function askFor(name: string, snapshot: Snapshot, selection: Selection = {}): number | Unknown {
  const metric = SCALING_METRICS.find((candidate) => candidate.name === name)
  assert.ok(metric, `there is no ${name}`)
  return metric.value(snapshot, selection)
}

/** Values of the whole instance and of its two queues, by name. */
function valuesOf(snapshot: Snapshot, selection?: Selection): Record<string, number | Unknown> {
  return Object.fromEntries(
    SCALING_METRICS.filter(({ isTimeDependent = false }) => !isTimeDependent).map(({ name }) => [
      name,
      askFor(name, snapshot, selection),
    ]),
  )
}

/** The submission time of a job that has waited for this number of seconds. */
function waited(seconds: number, changes: Partial<WaitingJob> = {}): WaitingJob {
  return waitingJob({ submittedAt: TAKEN_AT - seconds, ...changes })
}

/** Ranks 0 to 6 of 16 are busy, and 10 are live; batch and debug have jobs of all kinds. */
const LOADED = snapshotOf({
  waiting: waitingFor(
    waited(40, { queue: 'batch', nnodes: 5, ncores: 40, startEstimate: TAKEN_AT + 90 }),
    waited(30, { queue: 'debug', ntasks: 3, ncores: 3, startEstimate: TAKEN_AT + 60 }),
    waited(20, { queue: 'batch', priority: 0 }),
    waited(10, { queue: 'debug', nnodes: 17, ncores: undefined }),
  ),
})

const NO_ESTIMATE = unknown('the scheduler gives no estimate')

test('scaling metrics of the whole instance', () => {
  assert.deepEqual(valuesOf(LOADED), {
    node_desired_count: 13,
    node_desired_compensated_count: 13,
    node_floor_count: 7,
    node_demand_count: 13,
    node_pending_count: 6,
    node_cores_pending_count: 43,
    node_gpus_pending_count: 0,
    node_stranded_count: 0,
    job_held_count: 1,
    job_infeasible_count: 1,
    job_refused_count: 0,
    job_unsatisfiable_count: 0,
    job_unhelped_count: 0,
    job_wait_seconds_max: 40,
    job_wait_seconds_p90: 40,
    job_start_seconds: 90,
  })
})

test('scaling metrics of a queue, never below the busy ranks of all queues', () => {
  assert.deepEqual(valuesOf(LOADED, { queues: ['debug'] }), {
    node_desired_count: 13,
    node_desired_compensated_count: 13,
    node_floor_count: 7,
    node_demand_count: 8,
    node_pending_count: 1,
    node_cores_pending_count: 3,
    node_gpus_pending_count: 0,
    node_stranded_count: 0,
    job_held_count: 0,
    job_infeasible_count: 1,
    job_refused_count: 0,
    job_unsatisfiable_count: 0,
    job_unhelped_count: 0,
    job_wait_seconds_max: 30,
    job_wait_seconds_p90: 30,
    job_start_seconds: 60,
  })
})

test('scaling metrics of several queues are those of their jobs together', () => {
  const { job_start_seconds: start, ...rest } = valuesOf(LOADED)
  assert.equal(start, 90)
  for (const queues of [
    ['batch', 'debug'],
    ['debug', 'batch'],
  ]) {
    // The earlier estimate of both queues; the value of the instance is that of the job with the highest priority.
    assert.deepEqual(valuesOf(LOADED, { queues }), { ...rest, job_start_seconds: 60 })
  }
})

test('scaling metrics of an idle instance', () => {
  const idle = snapshotOf({ allocated: ranksWith('', { cores: '0' }) })
  assert.deepEqual(valuesOf(idle), {
    node_desired_count: 1,
    node_desired_compensated_count: 1,
    node_floor_count: 1,
    node_demand_count: 0,
    node_pending_count: 0,
    node_cores_pending_count: 0,
    node_gpus_pending_count: 0,
    node_stranded_count: 0,
    job_held_count: 0,
    job_infeasible_count: 0,
    job_refused_count: 0,
    job_unsatisfiable_count: 0,
    job_unhelped_count: 0,
    job_wait_seconds_max: 0,
    job_wait_seconds_p90: 0,
    job_start_seconds: NO_ESTIMATE,
  })
})

test('only metrics of what jobs ask for, and counts of jobs, are sums over queues', () => {
  const sums = SCALING_METRICS.filter(({ isSum = true, labels }) => isSum && labels.length > 0)
  assert.deepEqual(
    sums.map(({ name }) => name),
    [
      'node_pending_count',
      'node_cores_pending_count',
      'node_gpus_pending_count',
      'job_held_count',
      'job_infeasible_count',
      'job_refused_count',
      'job_unsatisfiable_count',
      'job_unhelped_count',
    ],
  )
})

test('a queue that is not in the demand wants nothing', () => {
  assert.equal(askFor('node_pending_count', LOADED, { queues: ['new'] }), 0)
  assert.equal(askFor('node_demand_count', LOADED, { queues: ['new'] }), 0)
})

const ONE_CORE = { nodes: undefined, slots: 1, cores: 1, gpus: 0, exclusive: false }
/** It takes more steps to place 5,000 such jobs than placing may take. */
const MANY_PARTS = { ways: [Array(100).fill(ONE_CORE)], ranks: undefined }

/** The metrics that are not known in a state, and those that are. */
const UNKNOWN: readonly {
  readonly what: string
  readonly facts: Partial<Facts>
  readonly reason: string
  readonly known: Readonly<Record<string, number>>
}[] = [
  {
    what: 'where Flux hides jobs',
    facts: { waiting: { kind: 'unknown', reason: 'Flux hides jobs' } },
    reason: 'Flux hides jobs',
    known: {},
  },
  {
    what: 'while it is not known how many GPUs a job asks for',
    facts: {
      all: ranksWith('0-15', { cores: '0-7', gpus: '0' }),
      waiting: {
        ...waitingFor(waited(5, { ntasks: 4, ncores: 4 })),
        unknownRequests: unknown('GPUs are not known'),
      },
    },
    reason: 'GPUs are not known',
    known: {
      node_floor_count: 7,
      node_cores_pending_count: 4,
      node_stranded_count: 0,
      job_held_count: 0,
      job_infeasible_count: 0,
      job_refused_count: 0,
      job_unsatisfiable_count: 0,
      job_wait_seconds_max: 5,
      job_wait_seconds_p90: 5,
    },
  },
  {
    what: 'while the list of jobs is cut',
    facts: { waiting: { ...waitingFor(waited(5)), total: 20_000, lacksStartable: true } },
    reason:
      'Flux has more pending jobs than the sidecar lists (10000): what the others ask for is not known',
    known: {
      node_desired_count: 16,
      node_desired_compensated_count: 16,
      node_demand_count: 16,
      node_floor_count: 7,
      node_stranded_count: 0,
      job_refused_count: 0,
      job_unsatisfiable_count: 0,
      job_unhelped_count: 0,
    },
  },
  {
    what: 'while the pending jobs are too different to place all of them',
    facts: {
      waiting: waitingFor(...Array(5_000).fill(waited(5, { request: MANY_PARTS }))),
    },
    reason:
      'the pending jobs are too many and too different to place all: what they ask for is not added up',
    known: {
      node_desired_count: 16,
      node_desired_compensated_count: 16,
      node_demand_count: 16,
      node_floor_count: 7,
      node_stranded_count: 0,
      job_held_count: 0,
      job_refused_count: 0,
      job_unsatisfiable_count: 0,
      job_unhelped_count: 0,
    },
  },
]

for (const { what, facts, reason, known } of UNKNOWN) {
  test(`scaling metrics say why they are not known ${what}`, () => {
    const { job_start_seconds: start, ...values } = valuesOf(snapshotOf(facts))
    assert.ok(typeof start === 'object')
    const names = Object.keys(values)
    const expected = names.map((name) => [name, known[name] ?? unknown(reason)])
    assert.deepEqual(values, Object.fromEntries(expected))
  })
}

test('node_gpus_pending_count adds up the GPUs that the owner can read', () => {
  const request = requestFor({ nodes: undefined, slots: 3, cores: 1, gpus: 2, exclusive: false })
  const snapshot = snapshotOf({
    all: ranksWith('0-15', { cores: '0-7', gpus: '0-3' }),
    waiting: {
      ...waitingFor(waited(1, { queue: 'batch', request }), waited(1, { queue: 'debug', request })),
      unknownRequests: unknown('not every job is read'),
    },
  })
  assert.equal(askFor('node_gpus_pending_count', snapshot), 12)
  assert.equal(askFor('node_gpus_pending_count', snapshot, { queues: ['batch'] }), 6)
  assert.equal(askFor('node_gpus_pending_count', snapshot, { queues: ['batch', 'debug'] }), 12)
})

test('node_gpus_pending_count of two queues is unknown if one is', () => {
  const request = requestFor({ nodes: undefined, slots: 3, cores: 1, gpus: 2, exclusive: false })
  const snapshot = snapshotOf({
    all: ranksWith('0-15', { cores: '0-7', gpus: '0-3' }),
    waiting: {
      ...waitingFor(waited(1, { queue: 'batch', request }), wholeNodes(1, { queue: 'debug' })),
      unknownRequests: unknown('not every job is read'),
    },
  })
  const notRead = unknown('not every job is read')
  assert.equal(askFor('node_gpus_pending_count', snapshot, { queues: ['batch'] }), 6)
  assert.deepEqual(askFor('node_gpus_pending_count', snapshot, { queues: ['debug'] }), notRead)
  const both = { queues: ['batch', 'debug'] }
  assert.deepEqual(askFor('node_gpus_pending_count', snapshot, both), notRead)
})

test('what a job of unknown shape asks for is not known, GPUs included where R has some', () => {
  const waiting = waitingFor(waited(1, { ntasks: undefined, ncores: undefined }))
  const noShape = unknown(
    'Flux does not show guests how many nodes some pending jobs ask for: run the sidecar with the UID of the broker ' +
      '(annotation flux-metrics/run-as-user), or submit jobs with a number of nodes or tasks',
  )
  const all = ranksWith('0-15', { cores: '0-7', gpus: '0' })
  const withGpus = snapshotOf({ all, waiting })
  for (const name of [
    'node_pending_count',
    'node_cores_pending_count',
    'node_gpus_pending_count',
  ]) {
    assert.deepEqual(askFor(name, withGpus), noShape)
  }
  assert.equal(askFor('node_gpus_pending_count', snapshotOf({ waiting })), 0)
})

test('node_stranded_count is the cost of a job on a high rank', () => {
  const snapshot = snapshotOf({ allocated: ranksWith('2,9', { cores: '0' }) })
  assert.equal(askFor('node_floor_count', snapshot), 10)
  assert.equal(askFor('node_stranded_count', snapshot), 7)
})

test('node_desired_compensated_count is beyond the tolerance of the live nodes', () => {
  const snapshot = snapshotOf({ waiting: waitingFor(wholeNodes(4)) })
  assert.equal(askFor('node_desired_count', snapshot), 11)
  assert.equal(askFor('node_desired_compensated_count', snapshot), 12)
})

/** Failed jobs, and how many of them the scheduler refused for lack of nodes that are up, and for good. */
const FAILED: readonly (readonly [
  what: string,
  changes: Partial<EndedJob>,
  refused: number | undefined,
  unsatisfiable: number | undefined,
])[] = [
  ['one for more nodes than are up', {}, 1, 0],
  ['one for more nodes than R has', { nnodes: 17 }, 0, 1],
  ['one whose cause a guest cannot see', { upThen: 12 }, undefined, undefined],
  ['one that failed by itself', { exceptionType: undefined, exceptionNote: undefined }, 0, 0],
  ['one that was canceled', { exceptionType: 'cancel' }, 0, 0],
  ['one that could not be read', { exceptionNote: 'alloc denied due to type="badr"' }, 0, 0],
  ['one without a note', { exceptionNote: undefined }, 0, 0],
]

for (const [what, changes, refused, unsatisfiable] of FAILED) {
  test(`job_refused_count and job_unsatisfiable_count of ${what} are ${refused} and ${unsatisfiable}`, () => {
    const job: EndedJob = {
      id: 1,
      queue: 'batch',
      inactiveAt: TAKEN_AT,
      exceptionType: 'alloc',
      exceptionNote: 'alloc denied due to type="unsatisfiable"',
      ...{ nnodes: 12, ncores: 12, upThen: 10 },
      ...changes,
    }
    const fluxion = { queuePolicy: 'fcfs', matchPolicy: 'lonode', pruneFilters: 'ALL:core' }
    const snapshot = snapshotOf({ fluxion, failed: [job, { ...job, queue: undefined }] })
    for (const [name, count] of [
      ['job_refused_count', refused],
      ['job_unsatisfiable_count', unsatisfiable],
    ] as const) {
      const ask = (queues?: readonly string[]) => {
        const value = askFor(name, snapshot, queues && { queues })
        return isUnknown(value) ? undefined : value
      }
      assert.equal(ask(), count === undefined ? undefined : 2 * count)
      assert.equal(ask(['batch']), count)
      assert.equal(ask(['debug']), 0)
    }
  })
}

test('job_unhelped_count counts the jobs that were set aside, not those for which the size grows', () => {
  const job = {
    ...{ id: 1, queue: 'batch', submittedAt: TAKEN_AT - 600, freeNodes: 3, fits: true },
    ...{ isGrown: true, absentNodes: 0 },
  }
  const unstarted = [
    { ...job, size: 12 },
    { ...job, id: 2, size: undefined },
    { ...job, id: 3, size: undefined, queue: undefined },
  ]
  const snapshot = snapshotOf({ unstarted })
  assert.equal(askFor('job_unhelped_count', snapshot), 2)
  assert.equal(askFor('job_unhelped_count', snapshot, { queues: ['batch'] }), 1)
  assert.equal(askFor('job_unhelped_count', snapshot, { queues: ['debug'] }), 0)
})

test('job_refused_count is unknown where too many jobs failed', () => {
  const value = askFor(
    'job_refused_count',
    snapshotOf({ failed: unknown('too many jobs failed lately to list them') }),
  )
  assert.deepEqual(value, unknown('too many jobs failed lately to list them'))
})

test('job_wait_seconds_p90 is the time that nine of ten jobs have waited at most', () => {
  const p90 = (waits: readonly number[]) =>
    askFor(
      'job_wait_seconds_p90',
      snapshotOf({ waiting: waitingFor(...waits.map((seconds) => waited(seconds))) }),
    )
  assert.equal(p90([7]), 7)
  assert.equal(p90([1, 2]), 2)
  assert.equal(p90([10, 1, 9, 2, 8, 3, 7, 4, 6, 5]), 9)
  assert.equal(p90(Array.from({ length: 100 }, (_, index) => index + 1)), 90)
})

test('how long jobs have waited is not known if Flux does not say it of one of them', () => {
  const snapshot = snapshotOf({
    waiting: waitingFor(waited(5), waitingJob({ submittedAt: undefined })),
  })
  for (const name of ['job_wait_seconds_max', 'job_wait_seconds_p90']) {
    const why = 'Flux does not say when some pending jobs were submitted'
    assert.deepEqual(askFor(name, snapshot), unknown(why))
  }
})

test('snapshot_age_seconds follows the clock, and is never below 0', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: TAKEN_AT * 1000 })
  assert.equal(askFor('snapshot_age_seconds', LOADED), 0)
  t.mock.timers.tick(1500)
  assert.equal(askFor('snapshot_age_seconds', LOADED), 1.5)
  t.mock.timers.setTime(0)
  assert.equal(askFor('snapshot_age_seconds', LOADED), 0)
})

/** A MiniCluster that drains before it shrinks: 4 nodes are wanted, and ranks 8 and 9 are not drained yet. */
function draining(sizes: Snapshot['sizes'], changes: Partial<Snapshot> = {}): Snapshot {
  return snapshotOf({
    allocated: ranksWith('0-3', { cores: '0-7' }),
    drains: [
      {
        ranks: parseIdset('4-6'),
        reason: 'flux-metrics/flux-sample: scale-down to 4',
        drainedAt: 0,
      },
      { ranks: parseIdset('7'), reason: 'maintenance', drainedAt: 0 },
    ],
    sizes,
    ...changes,
  })
}

const WANTED = { kind: 'known', whole: 4, queues: new Map([['batch', 4]]) } as const

test('with drains, the published size is the one for which ranks are drained', () => {
  const snapshot = draining({ wanted: WANTED, drained: 10 })
  assert.equal(askFor('node_desired_count', snapshot), 10)
  assert.equal(askFor('node_desired_count', snapshot, { queues: ['batch'] }), 10)
})

test('with drains, a queue that wants more than the published size has its own size', () => {
  const queues = new Map([['batch', 12]])
  const snapshot = draining({ wanted: { kind: 'known', whole: 4, queues }, drained: 10 })
  assert.equal(askFor('node_desired_count', snapshot, { queues: ['batch'] }), 12)
})

test('with drains, a live rank that is not drained counts as busy, also while the size is not known', () => {
  assert.equal(askFor('node_floor_count', draining({ wanted: WANTED, drained: 10 })), 10)
  assert.equal(
    askFor('node_floor_count', draining({ wanted: unknown('GPUs are not known'), drained: 10 })),
    10,
  )
})

test('with drains, a live rank that is drained does not count as busy', () => {
  const drains = [{ ranks: parseIdset('8-9'), reason: 'maintenance', drainedAt: 0 }]
  const snapshot = draining({ wanted: WANTED, drained: 8 }, { drains })
  assert.equal(askFor('node_floor_count', snapshot), 8)
})

test('without drains, the floor is the highest busy rank', () => {
  assert.equal(askFor('node_floor_count', draining({ wanted: WANTED, drained: undefined })), 4)
})
