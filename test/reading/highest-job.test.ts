// The job on the highest busy rank: what Flux is asked for, and how often.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ERRNO } from '#flux/errors.ts'
import { formatIdset } from '#flux/sets/idset.ts'
import { HighestJobReader } from '#reading/highest-job.ts'
import { type Answer, connectToCannedBroker } from '../support/canned-broker.ts'
import { jobCounts } from '../support/snapshots.ts'

const LIMITS = { timeoutMs: 10_000 }
const LIST = 'job-list.list'

async function setUp(t: TestContext, answers: Record<string, Answer>) {
  const broker = await connectToCannedBroker(t, answers)
  return { ...broker, reader: new HighestJobReader(broker.client) }
}

const COUNTS = { total: jobCounts(1) }

test('HighestJobReader finds a job on the rank, and asks again when counts or the rank change', async (t) => {
  const { reader, requests } = await setUp(t, {
    [LIST]: {
      jobs: [
        { id: 5, userid: 7, ranks: '0' },
        { id: 6, userid: 8, ranks: '[2-9]', expiration: 3 },
      ],
    },
  })
  const job = await reader.read(9, COUNTS, LIMITS)
  assert.deepEqual([job?.id, job?.userid, job?.expiration], [6, 8, 3])
  assert.equal(formatIdset(job?.ranks ?? { ranges: [] }), '2-9')
  assert.equal(await reader.read(9, COUNTS, LIMITS), job)
  assert.equal(requests.length, 1)
  await reader.read(8, COUNTS, LIMITS)
  await reader.read(8, { total: jobCounts(2) }, LIMITS)
  assert.equal(requests.length, 3)
  assert.deepEqual(requests[1]?.args.constraint, { and: [{ states: [48] }, { ranks: ['8'] }] })
})

test('HighestJobReader asks nothing where no rank is busy', async (t) => {
  const { reader, asked } = await setUp(t, {})
  assert.equal(await reader.read(undefined, COUNTS, LIMITS), undefined)
  assert.deepEqual(asked, [])
})

test('HighestJobReader finds no job if the list has only other jobs, or is refused', async (t) => {
  const { reader } = await setUp(t, {
    [LIST]: [{ jobs: [{ id: 5, userid: 7, ranks: '0' }] }, ERRNO.EINVAL],
  })
  assert.equal(await reader.read(9, COUNTS, LIMITS), undefined)
  assert.equal(await reader.read(8, COUNTS, LIMITS), undefined)
})
