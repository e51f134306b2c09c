// Recently failed jobs: what Flux is asked for, how often, and which of the jobs the scheduler refused.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FailedJob } from '#flux/calls/job-list-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { isJsonObject } from '#flux/wire/payload.ts'
import type { Jobs } from '#reading/facts.ts'
import { FAILED_SECONDS, FailedJobReader, isRefused } from '#reading/jobs/failed-jobs.ts'
import { isUnknown, type Unknown, unknown } from '#reading/unknown.ts'
import { type Answer, connectToCannedBroker } from '../../support/canned-broker.ts'
import { recordedAnswer } from '../../support/recordings.ts'
import { jobCounts } from '../../support/snapshots.ts'

const LIMITS = { timeoutMs: 10_000 }
const LIST = 'job-list.list'

async function setUp(t: TestContext, answers: Record<string, Answer>) {
  const broker = await connectToCannedBroker(t, answers)
  return { ...broker, reader: new FailedJobReader(broker.client) }
}

const TOO_MANY = unknown('too many jobs failed lately to list them')

function countOf(jobs: readonly FailedJob[] | Unknown): number | undefined {
  return isUnknown(jobs) ? undefined : jobs.length
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

const TAKEN_AT = new Date('2026-11-24T01:02:03Z')
const NOW = TAKEN_AT.getTime() / 1000

/** This number of failed jobs is remembered, and this number of jobs forgotten. */
function counted(failed: number | undefined, purged = 0): Pick<Jobs, 'total' | 'purged'> {
  return { total: { ...jobCounts(0), failed }, purged }
}

/** Jobs, each of which ended this number of seconds before the reading. */
function failed(...ages: readonly number[]): JsonObject {
  return { jobs: ages.map((age, index) => ({ id: index, t_inactive: NOW - age })) }
}

function later(seconds: number): Date {
  return new Date(TAKEN_AT.getTime() + seconds * 1000)
}

test('FailedJobReader asks for the jobs that failed in the last ten minutes, if there are any', async (t) => {
  const { reader, requests } = await setUp(t, { [LIST]: failed(1, 2) })
  assert.deepEqual(await reader.read(counted(0), TAKEN_AT, LIMITS), [])
  assert.equal(requests.length, 0)
  assert.equal(countOf(await reader.read(counted(2), TAKEN_AT, LIMITS)), 2)
  assert.equal(requests[0]?.args.since, NOW - FAILED_SECONDS)
})

test('FailedJobReader asks again when the count changes, and drops old jobs without asking', async (t) => {
  const { reader, requests } = await setUp(t, { [LIST]: [failed(10, 590), failed(1)] })
  const read = async (count: number, seconds: number) => {
    const jobs = await reader.read(counted(count), later(seconds), LIMITS)
    return [countOf(jobs), requests.length]
  }
  assert.deepEqual(await read(2, 0), [2, 1])
  assert.deepEqual(await read(2, 10), [2, 1])
  assert.deepEqual(await read(2, 11), [1, 1])
  assert.deepEqual(await read(2, 1000), [0, 1])
  assert.deepEqual(await read(3, 1000), [1, 2])
})

test('FailedJobReader sees a job that fails while another one is forgotten', async (t) => {
  const { reader, requests } = await setUp(t, { [LIST]: [failed(500), failed(1, 500)] })
  assert.equal(countOf(await reader.read(counted(2, 7), TAKEN_AT, LIMITS)), 1)
  assert.equal(countOf(await reader.read(counted(2, 8), TAKEN_AT, LIMITS)), 2)
  assert.equal(requests.length, 2)
})

for (const [what, answer] of [
  ['refuses the list', ERRNO.EINVAL],
  ['answers in another form', { jobs: [{ id: 1, t_inactive: 'today' }] }],
] as const) {
  test(`FailedJobReader has no list, and fails nothing else, if Flux ${what}`, async (t) => {
    const { reader, requests } = await setUp(t, { [LIST]: answer })
    assert.ok(isUnknown(await reader.read(counted(2), TAKEN_AT, LIMITS)))
    assert.ok(isUnknown(await reader.read(counted(2), later(59), LIMITS)))
    assert.equal(requests.length, 1)
  })
}

test('FailedJobReader has no list if Flux does not say how many jobs failed', async (t) => {
  const { reader, requests } = await setUp(t, {})
  assert.ok(isUnknown(await reader.read(counted(undefined), TAKEN_AT, LIMITS)))
  assert.equal(requests.length, 0)
})

test('FailedJobReader passes on that Flux hides jobs', async (t) => {
  const { reader } = await setUp(t, { [LIST]: ERRNO.EPERM })
  await assert.rejects(reader.read(counted(1), TAKEN_AT, LIMITS), { errnum: ERRNO.EPERM })
})

test('FailedJobReader has no list while too many jobs failed, and asks again later', async (t) => {
  const { reader, requests } = await setUp(t, { [LIST]: [failed(...upTo(1000)), failed(1)] })
  assert.deepEqual(await reader.read(counted(5000), TAKEN_AT, LIMITS), TOO_MANY)
  assert.deepEqual(await reader.read(counted(5000), later(59), LIMITS), TOO_MANY)
  assert.equal(requests.length, 1)
  assert.equal(countOf(await reader.read(counted(5000), later(60), LIMITS)), 1)
  assert.equal(requests.length, 2)
})

test('isRefused recognises a job that Fluxion refused in a recording', () => {
  const { jobs } = recordedAnswer('0.88.0-fluxion', 'mc-4of10-refused', 'job-list.list')
  const [job] = Array.isArray(jobs) ? jobs : []
  assert.ok(isJsonObject(job))
  const { exception_type: exceptionType, exception_note: exceptionNote } = job
  assert.ok(typeof exceptionType === 'string' && typeof exceptionNote === 'string')
  const refused = { id: 1, queue: undefined, inactiveAt: 1, exceptionType, exceptionNote }
  assert.equal(isRefused(refused), true)
  assert.equal(isRefused({ ...refused, exceptionType: 'exec' }), false)
  assert.equal(isRefused({ ...refused, exceptionNote: undefined }), false)
})
