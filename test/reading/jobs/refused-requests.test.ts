// What refused jobs asked for: read once, bounded, and never asked for as a guest.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FailedJob } from '#flux/calls/job-list-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { RefusedRequestReader } from '#reading/jobs/refused-requests.ts'
import { isUnknown } from '#reading/unknown.ts'
import { type Answer, connectToCannedBroker } from '../../support/canned-broker.ts'

const LIMITS = { timeoutMs: 10_000 }
const GETATTR = 'job-manager.getattr'

const ATTRIBUTES = {
  all: parseIdset('0-7'),
  properties: new Map(),
  hostlists: [],
  hosts: () => new Map(),
}

function refused(id: number): FailedJob {
  const why = { exceptionType: 'alloc', exceptionNote: 'alloc denied due to type="unsatisfiable"' }
  return { id, queue: undefined, inactiveAt: 0, ...why }
}

function jobspec(constraints?: JsonObject): JsonObject {
  const slot = { type: 'slot', count: 2, label: 'task', with: [{ type: 'gpu', count: 1 }] }
  return { jobspec: { resources: [slot], attributes: { system: constraints && { constraints } } } }
}

async function setUp(t: TestContext, answer: Answer, all = parseIdset('0-7')) {
  const { client, asked } = await connectToCannedBroker(t, { [GETATTR]: answer })
  const reader = new RefusedRequestReader(client)
  const read = (jobs: readonly FailedJob[], up = 4) =>
    reader.complete(jobs, { attributes: { ...ATTRIBUTES, all }, up }, LIMITS)
  return { asked, read }
}

test('RefusedRequestReader reads the jobspec of each refused job once, and of no other', async (t) => {
  const { asked, read } = await setUp(t, jobspec({ ranks: ['3-9'] }))
  const exec = { ...refused(2), exceptionType: 'exec' }
  const [job, other] = await read([refused(1), exec])
  assert.deepEqual(job?.request, {
    ways: [[{ nodes: undefined, slots: 2, cores: 0, gpus: 1, exclusive: false }]],
    ranks: parseIdset('3-7'),
  })
  assert.deepEqual(other, exec)
  await read([refused(1), exec])
  assert.equal(asked.length, 1)
})

test('RefusedRequestReader remembers how many nodes were up when a job was first seen', async (t) => {
  const { read } = await setUp(t, jobspec())
  await read([refused(1)], 4)
  const jobs = await read([refused(2), refused(1)], 9)
  assert.deepEqual(
    jobs.map(({ upThen }) => upThen),
    [9, 4],
  )
})

test('RefusedRequestReader as a guest asks once, and leaves requests open', async (t) => {
  const { asked, read } = await setUp(t, ERRNO.EPERM)
  const jobs = await read([refused(1), refused(2), refused(3)])
  assert.deepEqual(
    jobs.map(({ request }) => request),
    [undefined, undefined, undefined],
  )
  await read([refused(4)])
  assert.equal(asked.length, 1)
})

test('RefusedRequestReader reads 10 jobspecs at a time, and does not know the others yet', async (t) => {
  const { asked, read } = await setUp(t, jobspec())
  const jobs = Array.from({ length: 15 }, (_, id) => refused(id))
  const first = await read(jobs)
  assert.equal(first.filter(({ request }) => isUnknown(request)).length, 5)
  const second = await read(jobs)
  assert.equal(second.filter(({ request }) => isUnknown(request)).length, 0)
  assert.equal(asked.length, 15)
})

test('RefusedRequestReader keeps no more of all requests than fits into some megabytes', async (t) => {
  const every = Array.from({ length: 3_000 }, (_, index) => 2 * index).join()
  const { read } = await setUp(t, jobspec({ ranks: [every] }), parseIdset('0-9999'))
  const jobs = Array.from({ length: 20 }, (_, id) => refused(id))
  await read(jobs)
  const known = (await read(jobs)).filter(({ request }) => !isUnknown(request))
  assert.equal(known.length, 16)
})

for (const [what, answer] of [
  ['cannot be read', { jobspec: { resources: 1 } }],
  ['has constraints that cannot be read', jobspec({ color: ['red'] })],
] as const) {
  test(`RefusedRequestReader knows why a jobspec ${what}, and reads the others`, async (t) => {
    const { read } = await setUp(t, [answer, jobspec()])
    const [odd, good] = await read([refused(1), refused(2)])
    assert.ok(isUnknown(odd?.request))
    assert.ok(good?.request !== undefined && !isUnknown(good.request))
  })
}

test('RefusedRequestReader leaves the request of a job open that Flux has forgotten', async (t) => {
  const { read } = await setUp(t, [ERRNO.EINVAL, jobspec()])
  const [forgotten, known] = await read([refused(1), refused(2)])
  assert.equal(forgotten?.request, undefined)
  assert.ok(known?.request !== undefined)
})
