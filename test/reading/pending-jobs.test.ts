// Pending jobs: what Flux is asked for, how often, and what is unknown.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { PendingJob } from '#flux/calls/job-list-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { MAX_WAITING, PendingJobReader } from '#reading/pending-jobs.ts'
import { type Answer, connectToCannedBroker } from '../support/canned-broker.ts'

const LIMITS = { timeoutMs: 10_000 }
const LIST = 'job-list.list'
const GETATTR = 'job-manager.getattr'

async function setUp(t: TestContext, answers: Record<string, Answer>) {
  const broker = await connectToCannedBroker(t, answers)
  return { ...broker, reader: new PendingJobReader(broker.client) }
}

/** Jobs with these ids, as job-list answers them. */
function pending(...ids: readonly number[]): PendingJob[] {
  return ids.map((id) => ({
    ...{ id, state: 'SCHED', userid: 1000, priority: 16, queue: undefined, ntasks: 1 },
    ...{ nnodes: undefined, ncores: 1, duration: 0, submittedAt: 1, startEstimate: undefined },
  }))
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** A jobspec of this number of slots, with a core and a GPU each. */
function jobspec(slots: number): JsonObject {
  const below = ['core', 'gpu'].map((type) => ({ type, count: 1 }))
  return { jobspec: { resources: [{ type: 'slot', count: slots, with: below }] } }
}

const GPUS = { counted: 0, hasGpus: true }

test('PendingJobReader lists a bounded number of jobs, and one more to see whether there are others', async (t) => {
  const { reader, requests } = await setUp(t, {
    [LIST]: { jobs: [{ id: 1, state: 8, userid: 0, t_submit: 1 }] },
  })
  const jobs = await reader.read(LIMITS)
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [1],
  )
  assert.equal(requests[0]?.args.max_entries, MAX_WAITING + 1)
})

test('PendingJobReader fails where Flux hides jobs', async (t) => {
  const { reader } = await setUp(t, { [LIST]: ERRNO.EPERM })
  await assert.rejects(reader.read(LIMITS), { code: 'FLUX_REMOTE', errnum: ERRNO.EPERM })
})

test('complete asks for no jobspec if no job can ask for a GPU', async (t) => {
  const { reader, asked } = await setUp(t, {})
  const jobs = pending(1, 2)
  const waiting = await reader.complete(jobs, { counted: 2, hasGpus: false }, LIMITS)
  assert.deepEqual(waiting, {
    kind: 'known',
    jobs: jobs.map((job) => ({ ...job, request: undefined })),
    total: 2,
    unknownRequests: undefined,
  })
  assert.deepEqual(asked, [])
})

test('complete reads each jobspec once, and drops those of jobs that are no longer pending', async (t) => {
  const { reader, requests } = await setUp(t, { [GETATTR]: [1, 2, 3, 1].map(jobspec) })
  const read = async (...ids: number[]) => {
    const before = requests.length
    const { jobs, unknownRequests } = await reader.complete(pending(...ids), GPUS, LIMITS)
    const asked = requests.slice(before).map(({ args }) => args.id)
    return { slots: jobs.map(({ request }) => request?.slots), unknownRequests, asked }
  }
  assert.deepEqual(await read(11, 12), {
    slots: [1, 2],
    unknownRequests: undefined,
    asked: [11, 12],
  })
  assert.deepEqual(await read(12, 11), { slots: [2, 1], unknownRequests: undefined, asked: [] })
  assert.deepEqual(await read(12, 13), { slots: [2, 3], unknownRequests: undefined, asked: [13] })
  assert.deepEqual(await read(11), { slots: [1], unknownRequests: undefined, asked: [11] })
})

test('complete as a guest is refused once, and does not ask again', async (t) => {
  const { reader, asked } = await setUp(t, { [GETATTR]: ERRNO.EPERM })
  for (const ids of [[1, 2, 3], [1, 2, 3], [4]]) {
    const { jobs, unknownRequests } = await reader.complete(pending(...ids), GPUS, LIMITS)
    assert.ok(jobs.every(({ request }) => request === undefined))
    assert.match(
      unknownRequests?.reason ?? '',
      /^Flux does not show guests how many GPUs a job asks for: /,
    )
  }
  assert.deepEqual(asked, [GETATTR])
})

test('complete without pending jobs leaves nothing unknown, also as a guest', async (t) => {
  const { reader } = await setUp(t, { [GETATTR]: ERRNO.EPERM })
  await reader.complete(pending(1), GPUS, LIMITS)
  const { unknownRequests } = await reader.complete([], GPUS, LIMITS)
  assert.equal(unknownRequests, undefined)
})

test('complete reads a bounded number of jobspecs at a time, and reports that some are missing', async (t) => {
  const { reader, asked } = await setUp(t, { [GETATTR]: jobspec(1) })
  const jobs = pending(...upTo(1200))
  const known: number[] = []
  const unknowns: boolean[] = []
  for (let round = 0; round < 3; round += 1) {
    const waiting = await reader.complete(jobs, GPUS, LIMITS)
    known.push(waiting.jobs.filter(({ request }) => request !== undefined).length)
    unknowns.push(waiting.unknownRequests !== undefined)
  }
  assert.deepEqual(known, [500, 1000, 1200])
  assert.deepEqual(unknowns, [true, true, false])
  assert.equal(asked.length, 1200)
})

/** Answers about one job that must not prevent reading the others. */
for (const [what, answer] of [
  ['has left', ERRNO.EINVAL],
  ['is no longer known', ERRNO.ENOENT],
  ['has a jobspec of another shape', { jobspec: { resources: [{ type: 'slot', count: 'many' }] } }],
  ['has no jobspec', {}],
] as const) {
  test(`complete goes on if a job ${what}`, async (t) => {
    const { reader } = await setUp(t, { [GETATTR]: [answer, jobspec(7)] })
    const { jobs, unknownRequests } = await reader.complete(pending(1, 2), GPUS, LIMITS)
    assert.deepEqual(
      jobs.map(({ request }) => request?.slots),
      [undefined, 7],
    )
    assert.match(unknownRequests?.reason ?? '', /^the jobspecs of some pending jobs are /)
  })
}

test('complete fails with any other error', async (t) => {
  const { reader } = await setUp(t, { [GETATTR]: ERRNO.EPROTO })
  await assert.rejects(reader.complete(pending(1), GPUS, LIMITS), { errnum: ERRNO.EPROTO })
})

test('complete reports a list over the limit as cut, whatever job-stats counted', async (t) => {
  const { reader } = await setUp(t, {})
  const countsFor = async (length: number, counted: number) => {
    const listed = pending(...upTo(length))
    const { jobs, total } = await reader.complete(listed, { counted, hasGpus: false }, LIMITS)
    return [jobs.length, total]
  }
  assert.deepEqual(await countsFor(MAX_WAITING + 1, 90_000), [MAX_WAITING, 90_000])
  // job-stats is of another moment than the list.
  assert.deepEqual(await countsFor(MAX_WAITING + 1, 3), [MAX_WAITING, MAX_WAITING + 1])
  assert.deepEqual(await countsFor(MAX_WAITING, MAX_WAITING + 1), [MAX_WAITING, MAX_WAITING])
  assert.deepEqual(await countsFor(2, 3), [2, 2])
})
