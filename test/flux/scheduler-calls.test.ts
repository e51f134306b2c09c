// What Fluxion tells of itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LEAD_RANK } from '#flux/calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { getFluxionPolicy } from '#flux/scheduler-calls.ts'
import { connectToCannedBroker } from '../support/canned-broker.ts'
import { recordedAnswer } from '../support/recordings.ts'

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

test('getFluxionPolicy knows nothing where there is no Fluxion, or an old one', async (t) => {
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
