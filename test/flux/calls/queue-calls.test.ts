// The call about queues.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEAD_RANK } from '#flux/calls/broker-calls.ts'
import { isQueueStarted } from '#flux/calls/queue-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { connectToCannedBroker } from '../../support/canned-broker.ts'
import { recordedAnswer } from '../../support/recordings.ts'

const LIMITS = { timeoutMs: 10_000 }
const STATUS = 'job-manager.queue-status'

test('isQueueStarted asks for a queue by its name, and without a name for the anonymous queue', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, {
    [STATUS]: [
      recordedAnswer('0.88.0', 'queue-status-batch', STATUS),
      recordedAnswer('0.88.0', 'noqueue-queue-status', STATUS),
      { enable: true, start: false, stop_reason: 'cooling outage' },
    ],
  })
  assert.equal(await isQueueStarted(client, 'batch', LIMITS), true)
  assert.equal(await isQueueStarted(client, undefined, LIMITS), true)
  assert.equal(await isQueueStarted(client, 'debug', LIMITS), false)
  assert.deepEqual(requests, [
    { topic: STATUS, nodeid: LEAD_RANK, args: { name: 'batch' } },
    { topic: STATUS, nodeid: LEAD_RANK, args: {} },
    { topic: STATUS, nodeid: LEAD_RANK, args: { name: 'debug' } },
  ])
})

test('isQueueStarted fails with EINVAL for an unknown queue', async (t) => {
  const { client } = await connectToCannedBroker(t, { [STATUS]: ERRNO.EINVAL })
  await assert.rejects(isQueueStarted(client, 'nosuch', LIMITS), {
    code: 'FLUX_REMOTE',
    errnum: ERRNO.EINVAL,
  })
})

test('isQueueStarted refuses an answer without "start"', async (t) => {
  const { client } = await connectToCannedBroker(t, { [STATUS]: { enable: true } })
  await assert.rejects(isQueueStarted(client, 'batch', LIMITS), {
    code: 'FLUX_PROTOCOL',
    message: `Cannot read the answer to "${STATUS}": expected a boolean at "start", got undefined`,
  })
})
