// Typed calls about jobs, with recorded answers and with malformed answers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEAD_RANK } from '#flux/calls/broker-calls.ts'
import { getJobStats, getRequest, watchJobStats } from '#flux/calls/job-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import { connectToCannedBroker } from '../../support/canned-broker.ts'
import { recordedAnswer } from '../../support/recordings.ts'
import { connectToScript } from '../../support/scripted-broker.ts'

const LIMITS = { timeoutMs: 10_000 }
const STATS = 'job-list.job-stats'
const GETATTR = 'job-manager.getattr'

test('getJobStats reads the counts of the instance and of each queue', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, {
    [STATS]: recordedAnswer('0.88.0', 'stream-job-stats', STATS),
  })
  const { total, queues } = await getJobStats(client, LIMITS)
  assert.deepEqual(requests, [{ topic: STATS, nodeid: LEAD_RANK, args: {} }])
  assert.deepEqual(total, {
    ...{ depend: 1, priority: 0, sched: 6, run: 3, cleanup: 0, inactive: 11, total: 21 },
    ...{ successful: 4, failed: 2, canceled: 4, timeout: 1 },
  })
  assert.deepEqual([...queues.keys()], ['batch', 'debug'])
  assert.deepEqual(queues.get('debug'), {
    ...{ depend: 0, priority: 0, sched: 1, run: 1, cleanup: 0, inactive: 5, total: 7 },
    ...{ successful: 2, failed: 0, canceled: 3, timeout: 0 },
  })
})

test('getJobStats reads brokers without named queues', async (t) => {
  const { queues: _, ...old } = recordedAnswer('0.88.0', 'noqueue-job-stats', STATS)
  const { client } = await connectToCannedBroker(t, { [STATS]: old })
  assert.equal((await getJobStats(client, LIMITS)).queues.size, 0)
})

const COUNTS = {
  job_states: { depend: 0, priority: 0, sched: 0, run: 0, cleanup: 0, inactive: 0, total: 0 },
  ...{ successful: 0, failed: 0, canceled: 0, timeout: 0, queues: [] },
}

const BROKEN_STATS: readonly (readonly [answer: JsonObject, message: string])[] = [
  [{ ...COUNTS, job_states: [] }, 'expected an object at "job_states", got []'],
  [
    { ...COUNTS, job_states: { ...COUNTS.job_states, sched: -1 } },
    'expected a count at "sched", got -1',
  ],
  [{ ...COUNTS, queues: {} }, 'expected an array at "queues", got {}'],
  [{ ...COUNTS, queues: ['batch'] }, 'expected an object at "queues[]", got "batch"'],
  [{ ...COUNTS, queues: [COUNTS] }, 'expected a string at "name", got undefined'],
  [{ ...COUNTS, queues: [{ name: 'a' }] }, 'expected an object at "job_states", got undefined'],
]

for (const [answer, message] of BROKEN_STATS) {
  test(`getJobStats refuses an answer: ${message}`, async (t) => {
    const { client } = await connectToCannedBroker(t, { [STATS]: answer })
    await assert.rejects(getJobStats(client, LIMITS), {
      code: 'FLUX_PROTOCOL',
      topic: STATS,
      message: `Cannot read the answer to "${STATS}": ${message}`,
    })
  })
}

test('getJobStats leaves out counts that only inform if they are missing or odd', async (t) => {
  const odd = { failed: -1, successful: '4', inactive_purged: 1.5, timeout: undefined }
  const states = { ...COUNTS.job_states, inactive: null, total: 2 ** 60 }
  const { client } = await connectToCannedBroker(t, {
    [STATS]: { ...COUNTS, ...odd, job_states: states },
  })
  const { total, purged } = await getJobStats(client, LIMITS)
  const { successful, failed, canceled, timeout, inactive, sched } = total
  assert.deepEqual(
    [successful, failed, timeout, inactive, total.total, purged],
    Array(6).fill(undefined),
  )
  assert.deepEqual([canceled, sched], [0, 0])
})

test('watchJobStats yields the counts now and after each change', async (t) => {
  const states = (sched: number) => ({ job_states: { ...COUNTS.job_states, sched } })
  const client = await connectToScript(t, async (peer) => {
    const request = await peer.expect(STATS)
    peer.stream(request, { ...COUNTS, ...states(1) }, { ...COUNTS, ...states(2) })
    peer.endStream(request)
  })
  const seen = await Array.fromAsync(watchJobStats(client, LIMITS), ({ total }) => total.sched)
  assert.deepEqual(seen, [1, 2])
})

test('getRequest asks for the jobspec of one job, with its id unchanged', async (t) => {
  const { client, requests } = await connectToCannedBroker(t, {
    [GETATTR]: recordedAnswer('0.88.0', 'job-manager-getattr-jobspec', GETATTR),
  })
  const request = await getRequest(client, 2n ** 60n + 1n, LIMITS)
  const part = { nodes: undefined, slots: 4, cores: 2, gpus: 1, exclusive: false }
  assert.deepEqual(request, {
    ways: [[part]],
    constraint: { kind: 'properties', with: ['batch'], without: [] },
  })
  const args = { id: 2n ** 60n + 1n, attrs: ['jobspec'] }
  assert.deepEqual(requests, [{ topic: GETATTR, nodeid: LEAD_RANK, args }])
})

test('getRequest names the malformed part of a jobspec', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    [GETATTR]: [{}, { jobspec: '{}' }, { jobspec: { resources: [{ type: 'slot', count: 0.5 }] } }],
  })
  const messages = [
    ': expected an object at "jobspec", got undefined',
    ': expected an object at "jobspec", got "{}"',
    ' at "jobspec": Cannot read jobspec at resources[0].count: expected a count, got 0.5',
  ]
  for (const message of messages) {
    await assert.rejects(getRequest(client, 1, LIMITS), {
      code: 'FLUX_PROTOCOL',
      topic: GETATTR,
      message: `Cannot read the answer to "${GETATTR}"${message}`,
    })
  }
})

test('getRequest fails with EPERM for a guest, and with EINVAL for a job that has ended', async (t) => {
  const { client } = await connectToCannedBroker(t, { [GETATTR]: [ERRNO.EPERM, ERRNO.EINVAL] })
  for (const errnum of [ERRNO.EPERM, ERRNO.EINVAL]) {
    await assert.rejects(getRequest(client, 1, LIMITS), { code: 'FLUX_REMOTE', errnum })
  }
})
