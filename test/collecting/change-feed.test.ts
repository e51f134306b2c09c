// The streams that report changes: one that fails is opened again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChangeFeed } from '#collecting/change-feed.ts'
import { ERRNO } from '#flux/errors.ts'
import { connectToCannedBroker } from '../support/canned-broker.ts'
import { recordedAnswer } from '../support/recordings.ts'

const STATS = 'job-list.job-stats'
const LONG_MS = 1_000_000

test('ChangeFeed opens a stream again that a module did not offer while it was reloaded', async (t) => {
  const { client, asked } = await connectToCannedBroker(t, {
    'groups.get': [ERRNO.ENOSYS, { members: '0-3' }],
    [STATS]: recordedAnswer('0.88.0', 'stream-job-stats', STATS),
    'resource.journal': { events: [] },
  })
  const { signal } = new AbortController()
  const feed = ChangeFeed.open(client, '0.88.0', { timeoutMs: 10_000, reopenMs: 1 })
  t.after(() => feed.close())
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await feed.wait(0, LONG_MS, signal)
  }
  await until(() => !feed.streaming)
  await until(() => feed.streaming)
  assert.equal(asked.filter((topic) => topic === 'groups.get').length, 2)
  assert.equal(asked.filter((topic) => topic === STATS).length, 1)
})

test('ChangeFeed tells of the drains in the resource journal', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    'groups.get': { members: '0-3' },
    [STATS]: recordedAnswer('0.88.0', 'stream-job-stats', STATS),
    'resource.journal': { events: [] },
  })
  const told = Promise.withResolvers<unknown>()
  const feed = ChangeFeed.open(client, '0.88.0', { timeoutMs: 10_000, onDrains: told.resolve })
  t.after(() => feed.close())
  assert.deepEqual(await told.promise, { events: [], isPast: true })
})
