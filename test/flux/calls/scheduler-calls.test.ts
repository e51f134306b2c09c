// Typed calls about the scheduler.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEAD_RANK } from '#flux/calls/broker-calls.ts'
import { getFluxionMatching, getFluxionPolicy } from '#flux/calls/scheduler-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { connectToCannedBroker } from '../../support/canned-broker.ts'
import { recordedAnswer } from '../../support/recordings.ts'

const LIMITS = { timeoutMs: 10_000 }
const PARAMS = 'sched-fluxion-qmanager.params'

for (const [name, policy] of [
  ['guest-qmanager-params', 'fcfs'],
  ['qmanager-params-conservative', 'conservative'],
  ['qmanager-params-easy', 'easy'],
] as const) {
  test(`getFluxionPolicy reads "${policy}" as recorded`, async (t) => {
    const { client, requests } = await connectToCannedBroker(t, {
      [PARAMS]: recordedAnswer('0.88.0-fluxion', name, PARAMS),
    })
    assert.equal(await getFluxionPolicy(client, LIMITS), policy)
    assert.deepEqual(requests, [{ topic: PARAMS, nodeid: LEAD_RANK, args: {} }])
  })
}

test('getFluxionPolicy returns undefined without Fluxion, and for an old Fluxion', async (t) => {
  const { client } = await connectToCannedBroker(t, { [PARAMS]: [ERRNO.ENOSYS, {}] })
  assert.equal(await getFluxionPolicy(client, LIMITS), undefined)
  assert.equal(await getFluxionPolicy(client, LIMITS), undefined)
})

test('getFluxionPolicy fails with any other error', async (t) => {
  const { client } = await connectToCannedBroker(t, { [PARAMS]: ERRNO.EPROTO })
  await assert.rejects(getFluxionPolicy(client, LIMITS), {
    code: 'FLUX_REMOTE',
    errnum: ERRNO.EPROTO,
  })
})

test('getFluxionPolicy refuses parameters without a policy', async (t) => {
  const { client } = await connectToCannedBroker(t, { [PARAMS]: { params: {} } })
  await assert.rejects(getFluxionPolicy(client, LIMITS), {
    code: 'FLUX_PROTOCOL',
    message: `Cannot read the answer to "${PARAMS}": expected a string at "queue-policy", got undefined`,
  })
})

const RESOURCE_PARAMS = 'sched-fluxion-resource.params'

test('getFluxionMatching reads the recorded settings in force', async (t) => {
  const answer = recordedAnswer('0.88.0-fluxion', 'fluxion-resource-params', RESOURCE_PARAMS)
  const { client, requests } = await connectToCannedBroker(t, { [RESOURCE_PARAMS]: answer })
  const matching = { policy: 'first', pruneFilters: 'ALL:core,ALL:node' }
  assert.deepEqual(await getFluxionMatching(client, LIMITS), matching)
  assert.deepEqual(requests, [{ topic: RESOURCE_PARAMS, nodeid: LEAD_RANK, args: {} }])
})

for (const [when, errnum] of [
  ['for a guest', ERRNO.EPERM],
  ['without Fluxion', ERRNO.ENOSYS],
] as const) {
  test(`getFluxionMatching returns undefined ${when}`, async (t) => {
    const { client } = await connectToCannedBroker(t, { [RESOURCE_PARAMS]: errnum })
    assert.equal(await getFluxionMatching(client, LIMITS), undefined)
  })
}

test('getFluxionMatching fails with any other error', async (t) => {
  const { client } = await connectToCannedBroker(t, { [RESOURCE_PARAMS]: ERRNO.EPROTO })
  await assert.rejects(getFluxionMatching(client, LIMITS), { errnum: ERRNO.EPROTO })
})

test('getFluxionMatching refuses parameters without a policy', async (t) => {
  const { client } = await connectToCannedBroker(t, { [RESOURCE_PARAMS]: { params: {} } })
  await assert.rejects(getFluxionMatching(client, LIMITS), {
    code: 'FLUX_PROTOCOL',
    message: `Cannot read the answer to "${RESOURCE_PARAMS}": expected a string at "policy", got undefined`,
  })
})
