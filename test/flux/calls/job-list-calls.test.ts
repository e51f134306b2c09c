// Lists of jobs: the requests, recorded answers and malformed answers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEAD_RANK } from '#flux/calls/broker-calls.ts'
import { listFailedJobs, listPendingJobs, listRunningJobs } from '#flux/calls/job-list-calls.ts'
import { formatIdset, parseIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { connectToCannedBroker } from '../../support/canned-broker.ts'
import { recordedAnswer } from '../../support/recordings.ts'

const LIMITS = { timeoutMs: 10_000 }
const LIST = 'job-list.list'

const PENDING = 2 | 4 | 8
const RUNNING = 16 | 32
const INACTIVE = 64
const FAILED = 2
const ANY_USER = 0xffffffff

test('listPendingJobs reads recorded jobs in the order of the broker', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    [LIST]: recordedAnswer('0.88.0', 'job-list-pending-union', LIST),
  })
  const jobs = await listPendingJobs(client, 1000, LIMITS)
  assert.equal(jobs.length, 7)
  const [nodes, exclusive, gpus, , debug, held, dependent] = jobs
  assert.deepEqual(nodes, {
    id: 92459237376,
    state: 'SCHED',
    userid: 0,
    priority: 16,
    queue: 'batch',
    ntasks: 24,
    nnodes: 3,
    ncores: 24,
    duration: 7200,
    submittedAt: 1795458205.6498232,
    startEstimate: 1796063005.2461777,
  })
  assert.deepEqual([exclusive?.nnodes, exclusive?.ncores], [2, undefined])
  assert.deepEqual([gpus?.nnodes, gpus?.ncores, gpus?.ntasks], [undefined, 8, 4])
  assert.equal(debug?.queue, 'debug')
  assert.deepEqual([held?.state, held?.priority, held?.startEstimate], ['SCHED', 0, undefined])
  assert.deepEqual([dependent?.state, dependent?.priority], ['DEPEND', undefined])
})

test('listPendingJobs reads the annotations of Fluxion', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    [LIST]: recordedAnswer('0.88.0-fluxion', 'job-list-pending-easy', LIST),
  })
  const jobs = await listPendingJobs(client, 1000, LIMITS)
  assert.deepEqual(
    jobs.slice(0, 2).map(({ startEstimate }) => startEstimate),
    [1795461643, undefined],
  )
})

test('listPendingJobs sends one request for all releases, with only the needed attributes', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, { [LIST]: { jobs: [] } })
  assert.deepEqual(await listPendingJobs(client, 10_000, LIMITS), [])
  const [request] = requests
  assert.equal(request?.nodeid, LEAD_RANK)
  const { attrs, ...args } = request?.args ?? {}
  assert.deepEqual(args, {
    max_entries: 10_000,
    since: 0,
    userid: ANY_USER,
    states: PENDING,
    results: 0,
    constraint: { states: [PENDING] },
  })
  assert.deepEqual(new Set(Array.isArray(attrs) ? attrs : []), new Set(PENDING_ATTRIBUTES))
})

const PENDING_ATTRIBUTES = [
  ...['state', 'userid', 'priority', 'queue', 'ntasks', 'nnodes', 'ncores', 'duration'],
  ...['t_submit', 'annotations'],
]

const JOB = { id: 1, state: 8, userid: 0, t_submit: 1.5 }

/** Attributes of a pending job, and the values that are read from them. */
const ATTRIBUTES: readonly (readonly [what: string, attributes: JsonObject, read: object])[] = [
  ['an id beyond 2^53', { id: 2n ** 60n + 1n }, { id: 2n ** 60n + 1n }],
  [
    'counts of -1, which are none',
    { nnodes: -1, ncores: -1 },
    { nnodes: undefined, ncores: undefined },
  ],
  ['a count of 0', { ncores: 0 }, { ncores: 0 }],
  ['a count beyond 2^53 by the nearest number', { ncores: 2n ** 60n }, { ncores: 2 ** 60 }],
  ['a state of PRIORITY', { state: 4 }, { state: 'PRIORITY', priority: undefined }],
  ['no time limit', {}, { duration: 0 }],
  ['annotations of nobody', { annotations: {} }, { startEstimate: undefined }],
  ['annotations that are none', { annotations: null }, { startEstimate: undefined }],
  [
    'an estimate that is none',
    { annotations: { sched: { t_estimate: 'soon' } } },
    { startEstimate: undefined },
  ],
  [
    'annotations of a scheduler that are none',
    { annotations: { sched: 7 } },
    { startEstimate: undefined },
  ],
]

for (const [what, attributes, read] of ATTRIBUTES) {
  test(`listPendingJobs reads ${what}`, async (t) => {
    const { client } = await connectToCannedBroker(t, {
      [LIST]: { jobs: [{ ...JOB, ...attributes }] },
    })
    const [job] = await listPendingJobs(client, 1, LIMITS)
    assert.ok(job)
    assert.deepEqual({ ...job, ...read }, job)
  })
}

const BROKEN: readonly (readonly [answer: JsonObject, message: string])[] = [
  [{}, 'expected an array at "jobs", got undefined'],
  [
    { jobs: { '0': JOB } },
    'expected an array at "jobs", got {"0":{"id":1,"state":8,"userid":0,"t_submit":1.5}}',
  ],
  [{ jobs: [JOB, null] }, 'expected an object at "jobs[]", got null'],
  ...(
    [
      [{ id: undefined }, 'an integer at "id", got undefined'],
      [{ id: 1.5 }, 'an integer at "id", got 1.5'],
      [{ id: 'ƒ1' }, 'an integer at "id", got "ƒ1"'],
      [{ state: 16 }, 'a pending state at "state", got 16'],
      [{ state: 'SCHED' }, 'a pending state at "state", got "SCHED"'],
      [{ state: undefined }, 'a pending state at "state", got undefined'],
    ] as const
  ).map(
    ([attributes, message]) =>
      [{ jobs: [{ ...JOB, ...attributes }] }, `expected ${message}`] as const,
  ),
]

for (const [answer, message] of BROKEN) {
  test(`listPendingJobs refuses an answer: ${message}`, async (t) => {
    const { client } = await connectToCannedBroker(t, { [LIST]: answer })
    await assert.rejects(listPendingJobs(client, 1, LIMITS), {
      code: 'FLUX_PROTOCOL',
      topic: LIST,
      message: `Cannot read the answer to "${LIST}": ${message}`,
    })
  })
}

/** Attributes of an unexpected form, and what is left of the job. */
const ODD: readonly (readonly [attributes: JsonObject, read: object])[] = [
  [{ userid: undefined }, { userid: undefined, submittedAt: 1.5 }],
  [{ userid: 'root' }, { userid: undefined }],
  [{ t_submit: null }, { submittedAt: undefined, userid: 0 }],
  [{ duration: '1h' }, { duration: undefined }],
]

for (const [attributes, read] of ODD) {
  test(`listPendingJobs reads a job with ${JSON.stringify(attributes)}, and what else it says`, async (t) => {
    const { client } = await connectToCannedBroker(t, {
      [LIST]: { jobs: [{ ...JOB, ...attributes }] },
    })
    const [job] = await listPendingJobs(client, 1, LIMITS)
    assert.ok(job)
    assert.deepEqual({ ...job, ...read }, job)
    assert.equal(job.oddity, undefined)
  })
}

for (const [attributes, oddity] of [
  [{ priority: 'high' }, 'a number at "priority", got "high"'],
  [{ queue: 1 }, 'a string at "queue", got 1'],
  [{ ntasks: {} }, 'a number at "ntasks", got {}'],
  [{ nnodes: '2' }, 'a number at "nnodes", got "2"'],
  [{ ncores: [2] }, 'a number at "ncores", got [2]'],
] as const) {
  test(`listPendingJobs says of a job that it has ${JSON.stringify(attributes)}`, async (t) => {
    const { client } = await connectToCannedBroker(t, {
      [LIST]: { jobs: [JOB, { ...JOB, ...attributes }] },
    })
    const [whole, odd] = await listPendingJobs(client, 2, LIMITS)
    assert.equal(whole?.oddity, undefined)
    assert.equal(odd?.oddity, `Cannot read the answer to "${LIST}": expected ${oddity}`)
  })
}

test('listRunningJobs reads the ranks of jobs whose user and time limit it cannot read', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    [LIST]: { jobs: [{ id: 1, userid: 'root', ranks: '3', expiration: 'never' }] },
  })
  assert.deepEqual(await listRunningJobs(client, { maxEntries: 9 }, LIMITS), [
    { id: 1, userid: undefined, ranks: parseIdset('3'), expiration: undefined },
  ])
})

test('listRunningJobs reads ranks with and without brackets, and the expiration', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    [LIST]: [
      recordedAnswer('0.88.0-fluxion', 'job-list-running', LIST),
      {
        jobs: [
          { id: 1, userid: 7, ranks: '[2-3,5]' },
          { id: 2, userid: 7 },
        ],
      },
    ],
  })
  const [first] = await listRunningJobs(client, { maxEntries: 9 }, LIMITS)
  assert.ok(first)
  const { ranks: of, ...rest } = first
  assert.deepEqual(rest, { id: 1866280730624, userid: 0, expiration: 1795458766 })
  assert.equal(formatIdset(of), '3')
  const others = await listRunningJobs(client, { maxEntries: 9 }, LIMITS)
  assert.deepEqual(
    others.map(({ ranks, expiration }) => [formatIdset(ranks), expiration]),
    [
      ['2-3,5', 0],
      ['', 0],
    ],
  )
})

test('listRunningJobs asks for the jobs on some ranks', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, { [LIST]: { jobs: [] } })
  await listRunningJobs(client, { maxEntries: 4, ranks: '7' }, LIMITS)
  await listRunningJobs(client, { maxEntries: 4 }, LIMITS)
  const asked = { max_entries: 4, attrs: ['userid', 'ranks', 'expiration'], since: 0 }
  const common = { ...asked, userid: ANY_USER, states: RUNNING, results: 0 }
  assert.deepEqual(
    requests.map(({ args }) => args),
    [
      { ...common, constraint: { and: [{ states: [RUNNING] }, { ranks: ['7'] }] } },
      { ...common, constraint: { states: [RUNNING] } },
    ],
  )
})

test('listRunningJobs refuses ranks that are not an idset', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    [LIST]: { jobs: [{ id: 1, userid: 7, ranks: '3-2' }] },
  })
  await assert.rejects(listRunningJobs(client, { maxEntries: 4 }, LIMITS), {
    code: 'FLUX_PROTOCOL',
    message: `Cannot read the answer to "${LIST}" at "ranks": Cannot parse idset "3-2": expected an id of at least 4 at position 2`,
  })
})

test('listFailedJobs reads a job that Fluxion refused', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, {
    [LIST]: recordedAnswer('0.88.0-fluxion', 'mc-4of10-refused', LIST),
  })
  assert.deepEqual(await listFailedJobs(client, { maxEntries: 9, since: 1795458000.5 }, LIMITS), [
    {
      id: 709827231744,
      queue: undefined,
      inactiveAt: 1795458255.5381298,
      exceptionType: 'alloc',
      exceptionNote: 'alloc denied due to type="unsatisfiable"',
      ...{ ntasks: 6, nnodes: 6, ncores: 6 },
    },
  ])
  const needs = ['ntasks', 'nnodes', 'ncores']
  assert.deepEqual(requests[0]?.args, {
    max_entries: 9,
    attrs: ['queue', 't_inactive', 'exception_type', 'exception_note', ...needs],
    since: 1795458000.5,
    userid: ANY_USER,
    states: INACTIVE,
    results: FAILED,
    constraint: { and: [{ states: [INACTIVE] }, { results: [FAILED] }] },
  })
})

test('listFailedJobs refuses jobs that have not ended', async (t) => {
  const { client } = await connectToCannedBroker(t, { [LIST]: { jobs: [{ id: 1 }] } })
  await assert.rejects(listFailedJobs(client, { maxEntries: 9, since: 0 }, LIMITS), {
    code: 'FLUX_PROTOCOL',
    message: `Cannot read the answer to "${LIST}": expected a number at "t_inactive", got undefined`,
  })
})
