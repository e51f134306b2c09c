// The call about queues.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEAD_RANK } from '#flux/calls/broker-calls.ts'
import { getQueueStop } from '#flux/calls/queue-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { connectToCannedBroker } from '../../support/canned-broker.ts'
import { recordedAnswer } from '../../support/recordings.ts'

const LIMITS = { timeoutMs: 10_000 }
const STATUS = 'job-manager.queue-status'

test('getQueueStop asks for a queue by its name, and without a name for the anonymous queue', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, {
    [STATUS]: [
      recordedAnswer('0.88.0', 'queue-status-batch', STATUS),
      recordedAnswer('0.88.0', 'noqueue-queue-status', STATUS),
      { enable: true, start: false, stop_reason: 'cooling outage' },
    ],
  })
  assert.equal(await getQueueStop(client, 'batch', LIMITS), undefined)
  assert.equal(await getQueueStop(client, undefined, LIMITS), undefined)
  assert.deepEqual(await getQueueStop(client, 'debug', LIMITS), { by: 'queue' })
  assert.deepEqual(requests, [
    { topic: STATUS, nodeid: LEAD_RANK, args: { name: 'batch' } },
    { topic: STATUS, nodeid: LEAD_RANK, args: {} },
    { topic: STATUS, nodeid: LEAD_RANK, args: { name: 'debug' } },
  ])
})

test('getQueueStop tells a stopped queue from a stopped parent, and from a scheduler that is not there', async (t) => {
  // As 0.51 to 0.88 and later answer: the words are the same, "blocked" and "parent" came after 0.88.
  const offline = { enable: true, start: false, stop_reason: 'Scheduler is offline' }
  const ofParent = {
    parent: 'batch',
    blocked: 'parent',
    stop_reason: "parent queue 'batch' is stopped",
  }
  const { client } = await connectToCannedBroker(t, {
    [STATUS]: [
      recordedAnswer('0.88.0', 'queue-status-stopped-disabled', STATUS),
      offline,
      { ...offline, blocked: 'scheduler', parent: 'batch' },
      { enable: true, start: false, ...ofParent },
      { enable: true, start: false, parent: 'batch' },
    ],
  })
  const stops = []
  for (let call = 0; call < 5; call += 1) stops.push(await getQueueStop(client, 'debug', LIMITS))
  assert.deepEqual(stops, [
    { by: 'queue' },
    { by: 'scheduler' },
    { by: 'scheduler' },
    { by: 'parent', parent: 'batch' },
    { by: 'queue' },
  ])
})

test('getQueueStop fails with EINVAL for an unknown queue', async (t) => {
  const { client } = await connectToCannedBroker(t, { [STATUS]: ERRNO.EINVAL })
  await assert.rejects(getQueueStop(client, 'nosuch', LIMITS), {
    code: 'FLUX_REMOTE',
    errnum: ERRNO.EINVAL,
  })
})

test('getQueueStop refuses an answer without "start"', async (t) => {
  const { client } = await connectToCannedBroker(t, { [STATUS]: { enable: true } })
  await assert.rejects(getQueueStop(client, 'batch', LIMITS), {
    code: 'FLUX_PROTOCOL',
    message: `Cannot read the answer to "${STATUS}": expected a boolean at "start", got undefined`,
  })
})
