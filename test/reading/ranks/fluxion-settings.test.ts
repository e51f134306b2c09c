// The settings of Fluxion, from what Fluxion answers and from the broker's configuration.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FluxionSettings } from '#flux/calls/fluxion.ts'
import { ERRNO } from '#flux/errors.ts'
import { FluxionReader, toFluxionSettings } from '#reading/ranks/fluxion-settings.ts'
import { type Answer, connectToCannedBroker } from '../../support/canned-broker.ts'

const GOOD: FluxionSettings = {
  queuePolicy: 'fcfs',
  matchPolicy: 'lonode',
  pruneFilters: 'ALL:core',
}

test('toFluxionSettings reads the configuration, and ignores values of another shape', () => {
  const config = {
    'sched-fluxion-resource': { 'match-policy': 'lonode', 'prune-filters': 'ALL:core' },
  }
  const fcfs = { policy: 'fcfs', matching: undefined }
  const easy = { policy: 'easy', matching: undefined }
  assert.deepEqual(toFluxionSettings(fcfs, config), GOOD)
  const none = { queuePolicy: 'easy', matchPolicy: undefined, pruneFilters: undefined }
  assert.deepEqual(toFluxionSettings(easy, {}), none)
  assert.deepEqual(toFluxionSettings(easy, { 'sched-fluxion-resource': 'lonode' }), none)
  const wrong = { 'sched-fluxion-resource': { 'match-policy': 1, 'prune-filters': ['ALL:core'] } }
  assert.deepEqual(toFluxionSettings(easy, wrong), none)
})

test('toFluxionSettings prefers the settings in force to the configuration', () => {
  const config = { 'sched-fluxion-resource': { 'match-policy': 'high' } }
  const matching = { policy: 'lonode', pruneFilters: 'ALL:core' }
  assert.deepEqual(toFluxionSettings({ policy: 'fcfs', matching }, config), GOOD)
})

test('toFluxionSettings has no settings where the scheduler is not Fluxion', () => {
  const other = { policy: undefined, matching: undefined }
  assert.equal(toFluxionSettings(other, {}), undefined)
})

const PARAMS = 'sched-fluxion-qmanager.params'

/** Reads at these times, in seconds, and returns the queue policy and the number of calls each time. */
async function readAt(
  t: TestContext,
  answer: Answer,
  times: readonly number[],
): Promise<readonly (readonly [policy: string | undefined, calls: number])[]> {
  const { client, asked } = await connectToCannedBroker(t, { [PARAMS]: answer })
  const reader = new FluxionReader(client)
  const clock = t.mock.method(performance, 'now', () => 0)
  const found: [string | undefined, number][] = []
  for (const seconds of times) {
    clock.mock.mockImplementation(() => seconds * 1000)
    const settings = await reader.read({}, { timeoutMs: 10_000 })
    found.push([settings?.queuePolicy, asked.filter((topic) => topic === PARAMS).length])
  }
  return found
}

test('FluxionReader asks again after a minute, because the scheduler may be reloaded with other settings', async (t) => {
  const policy = (name: string) => ({ params: { 'queue-policy': name } })
  const found = await readAt(t, [policy('fcfs'), policy('easy')], [0, 59, 60])
  assert.deepEqual(found, [
    ['fcfs', 1],
    ['fcfs', 1],
    ['easy', 2],
  ])
})

test('FluxionReader doubts that there is no Fluxion: its module may be being reloaded', async (t) => {
  const found = await readAt(t, [ERRNO.ENOSYS, { params: { 'queue-policy': 'easy' } }], [0, 9, 10])
  assert.deepEqual(found, [
    [undefined, 1],
    [undefined, 1],
    ['easy', 2],
  ])
})

test('FluxionReader keeps the settings that it knows while it doubts, and takes the second answer as it is', async (t) => {
  const policy = (name: string) => ({ params: { 'queue-policy': name } })
  const answers = [policy('easy'), ERRNO.ENOSYS, policy('fcfs'), ERRNO.ENOSYS, ERRNO.ENOSYS]
  const found = await readAt(t, answers, [0, 60, 69, 70, 130, 140])
  assert.deepEqual(found, [
    ['easy', 1],
    ['easy', 2],
    ['easy', 2],
    ['fcfs', 3],
    ['fcfs', 4],
    [undefined, 5],
  ])
})

test('FluxionReader asks once a minute where there is no Fluxion', async (t) => {
  const found = await readAt(t, ERRNO.ENOSYS, [0, 10, 69, 70])
  assert.deepEqual(
    found.map(([, calls]) => calls),
    [1, 2, 2, 3],
  )
})

test('FluxionReader takes a policy of another shape for one that it does not know', async (t) => {
  assert.deepEqual(await readAt(t, { params: { 'queue-policy': 1 } }, [0]), [['unknown', 1]])
})
