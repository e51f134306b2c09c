// The list of pending jobs: what Flux is asked for. What is left out of it is in pending-jobs.test.ts.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ERRNO } from '#flux/errors.ts'
import { MAX_WAITING, PendingList } from '#reading/jobs/pending-list.ts'
import { type Answer, connectToCannedBroker } from '../../support/canned-broker.ts'

const LIMITS = { timeoutMs: 10_000 }
const LIST = 'job-list.list'

async function setUp(t: TestContext, answers: Record<string, Answer>) {
  const { client, requests } = await connectToCannedBroker(t, answers)
  return { list: new PendingList(client), requests }
}

test('PendingList lists a bounded number of jobs, and one more to see whether there are others', async (t) => {
  const { list, requests } = await setUp(t, {
    [LIST]: { jobs: [{ id: 1, state: 8, userid: 0, t_submit: 1 }] },
  })
  const jobs = await list.read(LIMITS)
  assert.deepEqual(
    jobs.map(({ id }) => id),
    [1],
  )
  assert.equal(requests[0]?.args.max_entries, MAX_WAITING + 1)
})

test('PendingList lists jobs without annotations if users have written very long notes, and then always', async (t) => {
  const job = { id: 1, state: 8, userid: 0, t_submit: 1 }
  const annotations = { user: { note: 'x'.repeat(5 * 2 ** 20) } }
  const { list, requests } = await setUp(t, {
    [LIST]: [{ jobs: [{ ...job, annotations }] }, { jobs: [job] }],
  })
  for (let round = 0; round < 2; round += 1) {
    assert.deepEqual(
      (await list.read(LIMITS)).map(({ id }) => id),
      [1],
    )
  }
  const asksForNotes = ({ args }: (typeof requests)[number]) =>
    Array.isArray(args.attrs) && args.attrs.includes('annotations')
  assert.deepEqual(requests.map(asksForNotes), [true, false, false])
})

test('PendingList fails where Flux hides jobs', async (t) => {
  const { list } = await setUp(t, { [LIST]: ERRNO.EPERM })
  await assert.rejects(list.read(LIMITS), { code: 'FLUX_REMOTE', errnum: ERRNO.EPERM })
})
