// Lists of jobs: what is asked for, how often, and what becomes of what cannot be told.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { PendingJob } from '#flux/calls/job-list-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { formatIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { FAILED_SECONDS } from '#reading/facts.ts'
import { JobReader, MAX_WAITING } from '#reading/pending-jobs.ts'
import { type Answer, connectToCannedBroker } from '../support/canned-broker.ts'
import { jobCounts } from '../support/snapshots.ts'

const LIMITS = { timeoutMs: 10_000 }
const LIST = 'job-list.list'
const GETATTR = 'job-manager.getattr'

async function setUp(t: TestContext, answers: Record<string, Answer>) {
  const broker = await connectToCannedBroker(t, answers)
  return { ...broker, reader: new JobReader(broker.client) }
}

/** Jobs with these ids, as job-list told them. */
function pending(...ids: readonly number[]): PendingJob[] {
  return ids.map((id) => ({
    ...{ id, state: 'SCHED', userid: 1000, priority: 16, queue: undefined, ntasks: 1 },
    ...{ nnodes: undefined, ncores: 1, duration: 0, submittedAt: 1, startEstimate: undefined },
  }))
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** A jobspec of so many slots with a core and a GPU each. */
function jobspec(slots: number): JsonObject {
  const below = ['core', 'gpu'].map((type) => ({ type, count: 1 }))
  return { jobspec: { resources: [{ type: 'slot', count: slots, with: below }] } }
}

const GPUS = { counted: 0, hasGpus: true }

test('readPending lists at most as many as it can bear, and one more that tells of others', async (t) => {
  const { reader, requests } = await setUp(t, {
    [LIST]: { jobs: [{ id: 1, state: 8, userid: 0, t_submit: 1 }] },
  })
  const jobs = await reader.readPending(LIMITS)
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [1],
  )
  assert.equal(requests[0]?.args.max_entries, MAX_WAITING + 1)
})

test('readPending fails where Flux hides jobs', async (t) => {
  const { reader } = await setUp(t, { [LIST]: ERRNO.EPERM })
  await assert.rejects(reader.readPending(LIMITS), { code: 'FLUX_REMOTE', errnum: ERRNO.EPERM })
})

test('complete asks for no jobspec where no job can want a GPU', async (t) => {
  const { reader, asked } = await setUp(t, {})
  const jobs = pending(1, 2)
  const waiting = await reader.complete(jobs, { counted: 2, hasGpus: false }, LIMITS)
  assert.deepEqual(waiting, {
    kind: 'known',
    jobs: jobs.map((job) => ({ ...job, request: undefined })),
    total: 2,
    untold: undefined,
  })
  assert.deepEqual(asked, [])
})

test('complete reads each jobspec once, and forgets those of jobs that wait no more', async (t) => {
  const { reader, requests } = await setUp(t, { [GETATTR]: [1, 2, 3, 1].map(jobspec) })
  const read = async (...ids: number[]) => {
    const before = requests.length
    const { jobs, untold } = await reader.complete(pending(...ids), GPUS, LIMITS)
    const asked = requests.slice(before).map(({ args }) => args.id)
    return { slots: jobs.map(({ request }) => request?.slots), untold, asked }
  }
  assert.deepEqual(await read(11, 12), { slots: [1, 2], untold: undefined, asked: [11, 12] })
  assert.deepEqual(await read(12, 11), { slots: [2, 1], untold: undefined, asked: [] })
  assert.deepEqual(await read(12, 13), { slots: [2, 3], untold: undefined, asked: [13] })
  assert.deepEqual(await read(11), { slots: [1], untold: undefined, asked: [11] })
})

test('complete as a guest is refused once, and asks no more', async (t) => {
  const { reader, asked } = await setUp(t, { [GETATTR]: ERRNO.EPERM })
  for (const ids of [[1, 2, 3], [1, 2, 3], [4]]) {
    const { jobs, untold } = await reader.complete(pending(...ids), GPUS, LIMITS)
    assert.ok(jobs.every(({ request }) => request === undefined))
    assert.match(untold ?? '', /^Flux does not tell guests how many GPUs a job wants: /)
  }
  assert.deepEqual(asked, [GETATTR])
})

test('complete with no jobs to be told of has nothing to say, as a guest either', async (t) => {
  const { reader } = await setUp(t, { [GETATTR]: ERRNO.EPERM })
  await reader.complete(pending(1), GPUS, LIMITS)
  const { untold } = await reader.complete([], GPUS, LIMITS)
  assert.equal(untold, undefined)
})

test('complete reads a bounded number of jobspecs at a time, and says that it has not all', async (t) => {
  const { reader, asked } = await setUp(t, { [GETATTR]: jobspec(1) })
  const jobs = pending(...upTo(1200))
  const known: number[] = []
  const untold: boolean[] = []
  for (let round = 0; round < 3; round += 1) {
    const waiting = await reader.complete(jobs, GPUS, LIMITS)
    known.push(waiting.jobs.filter(({ request }) => request !== undefined).length)
    untold.push(waiting.untold !== undefined)
  }
  assert.deepEqual(known, [500, 1000, 1200])
  assert.deepEqual(untold, [true, true, false])
  assert.equal(asked.length, 1200)
})

/** What one job's answer may be, that is no reason not to read the others. */
for (const [what, answer] of [
  ['is gone', ERRNO.EINVAL],
  ['is not known any more', ERRNO.ENOENT],
  ['asks in another shape', { jobspec: { resources: [{ type: 'slot', count: 'many' }] } }],
  ['has no jobspec', {}],
] as const) {
  test(`complete goes on where a job ${what}`, async (t) => {
    const { reader } = await setUp(t, { [GETATTR]: [answer, jobspec(7)] })
    const { jobs, untold } = await reader.complete(pending(1, 2), GPUS, LIMITS)
    assert.deepEqual(
      jobs.map(({ request }) => request?.slots),
      [undefined, 7],
    )
    assert.match(untold ?? '', /^the jobspecs of some pending jobs are /)
  })
}

test('complete fails with any other error', async (t) => {
  const { reader } = await setUp(t, { [GETATTR]: ERRNO.EPROTO })
  await assert.rejects(reader.complete(pending(1), GPUS, LIMITS), { errnum: ERRNO.EPROTO })
})

test('complete takes a list that is longer than we can bear for cut, whatever job-stats counted', async (t) => {
  const { reader } = await setUp(t, {})
  const told = async (length: number, counted: number) => {
    const listed = pending(...upTo(length))
    const { jobs, total } = await reader.complete(listed, { counted, hasGpus: false }, LIMITS)
    return [jobs.length, total]
  }
  assert.deepEqual(await told(MAX_WAITING + 1, 90_000), [MAX_WAITING, 90_000])
  // Counts are of another moment.
  assert.deepEqual(await told(MAX_WAITING + 1, 3), [MAX_WAITING, MAX_WAITING + 1])
  assert.deepEqual(await told(MAX_WAITING, MAX_WAITING + 1), [MAX_WAITING, MAX_WAITING])
  assert.deepEqual(await told(2, 3), [2, 2])
})

const TAKEN_AT = new Date('2026-11-24T01:02:03Z')
const NOW = TAKEN_AT.getTime() / 1000

/** Jobs that ended so many seconds before the reading. */
function failed(...ages: readonly number[]): JsonObject {
  return { jobs: ages.map((age, index) => ({ id: index, t_inactive: NOW - age })) }
}

function later(seconds: number): Date {
  return new Date(TAKEN_AT.getTime() + seconds * 1000)
}

test('readFailed asks for what failed within the last while, where something did', async (t) => {
  const { reader, requests } = await setUp(t, { [LIST]: failed(1, 2) })
  assert.deepEqual(await reader.readFailed(0, TAKEN_AT, LIMITS), [])
  assert.equal(requests.length, 0)
  assert.equal((await reader.readFailed(2, TAKEN_AT, LIMITS))?.length, 2)
  assert.equal(requests[0]?.args.since, NOW - FAILED_SECONDS)
})

test('readFailed asks again when the count changes, and forgets what is old by itself', async (t) => {
  const { reader, requests } = await setUp(t, { [LIST]: [failed(10, 590), failed(1)] })
  const read = async (count: number, seconds: number) => {
    const jobs = await reader.readFailed(count, later(seconds), LIMITS)
    return [jobs?.length, requests.length]
  }
  assert.deepEqual(await read(2, 0), [2, 1])
  assert.deepEqual(await read(2, 10), [2, 1])
  assert.deepEqual(await read(2, 11), [1, 1])
  assert.deepEqual(await read(2, 1000), [0, 1])
  assert.deepEqual(await read(3, 1000), [1, 2])
})

test('readFailed knows nothing while too many failed, and finds out when they have become fewer', async (t) => {
  const { reader, requests } = await setUp(t, { [LIST]: [failed(...upTo(1000)), failed(1)] })
  assert.equal(await reader.readFailed(5000, TAKEN_AT, LIMITS), undefined)
  assert.equal(await reader.readFailed(5000, later(59), LIMITS), undefined)
  assert.equal(requests.length, 1)
  assert.equal((await reader.readFailed(5000, later(60), LIMITS))?.length, 1)
  assert.equal(requests.length, 2)
})

const COUNTS = { total: jobCounts(1) }

test('readHighest names a job on the rank, and asks again when something changed', async (t) => {
  const { reader, requests } = await setUp(t, {
    [LIST]: {
      jobs: [
        { id: 5, userid: 7, ranks: '0' },
        { id: 6, userid: 8, ranks: '[2-9]', expiration: 3 },
      ],
    },
  })
  const job = await reader.readHighest(9, COUNTS, LIMITS)
  assert.deepEqual([job?.id, job?.userid, job?.expiration], [6, 8, 3])
  assert.equal(formatIdset(job?.ranks ?? { ranges: [] }), '2-9')
  assert.equal(await reader.readHighest(9, COUNTS, LIMITS), job)
  assert.equal(requests.length, 1)
  await reader.readHighest(8, COUNTS, LIMITS)
  await reader.readHighest(8, { total: jobCounts(2) }, LIMITS)
  assert.equal(requests.length, 3)
  assert.deepEqual(requests[1]?.args.constraint, { and: [{ states: [48] }, { ranks: ['8'] }] })
})

test('readHighest asks nothing where no rank is busy', async (t) => {
  const { reader, asked } = await setUp(t, {})
  assert.equal(await reader.readHighest(undefined, COUNTS, LIMITS), undefined)
  assert.deepEqual(asked, [])
})

test('readHighest names nobody where the list has other jobs alone, or is refused', async (t) => {
  const { reader } = await setUp(t, {
    [LIST]: [{ jobs: [{ id: 5, userid: 7, ranks: '0' }] }, ERRNO.EINVAL],
  })
  assert.equal(await reader.readHighest(9, COUNTS, LIMITS), undefined)
  assert.equal(await reader.readHighest(8, COUNTS, LIMITS), undefined)
})
