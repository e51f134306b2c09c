// The calls about the broker itself.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getAttribute, getBrokerState, getConfig, LEAD_RANK } from '#flux/calls/broker-calls.ts'
import { ERRNO } from '#flux/errors.ts'
import { NODEID_ANY } from '#flux/wire/message.ts'
import { connectToCannedBroker } from '../../support/canned-broker.ts'
import { recordedAnswer } from '../../support/recordings.ts'

const LIMITS = { timeoutMs: 10_000 }

test('getAttribute asks the connected broker', async (t) => {
  const answer = recordedAnswer('0.88.0', 'getattr-size-rpc', 'attr.get')
  const { client, requests } = await connectToCannedBroker(t, { 'attr.get': answer })
  assert.equal(await getAttribute(client, 'size', LIMITS), '4')
  assert.deepEqual(requests, [{ topic: 'attr.get', nodeid: NODEID_ANY, args: { name: 'size' } }])
})

test('getAttribute fails with ENOENT for an unknown attribute', async (t) => {
  const { client } = await connectToCannedBroker(t, { 'attr.get': ERRNO.ENOENT })
  await assert.rejects(getAttribute(client, 'nosuch', LIMITS), {
    code: 'FLUX_REMOTE',
    errnum: ERRNO.ENOENT,
    topic: 'attr.get',
  })
})

test('getBrokerState asks the lead broker', async (t) => {
  const answer = recordedAnswer('0.88.0', 'state-machine-get', 'state-machine.get')
  const { client, requests } = await connectToCannedBroker(t, { 'state-machine.get': answer })
  assert.equal(await getBrokerState(client, LIMITS), 'run')
  assert.deepEqual(requests, [{ topic: 'state-machine.get', nodeid: LEAD_RANK, args: {} }])
})

test('getConfig returns the whole configuration', async (t) => {
  const answer = recordedAnswer('0.88.0', 'config-get', 'config.get')
  const { client } = await connectToCannedBroker(t, { 'config.get': [answer, {}] })
  assert.deepEqual(await getConfig(client, LIMITS), answer)
  assert.deepEqual(await getConfig(client, LIMITS), {})
})

test('calls about the broker refuse answers of another form', async (t) => {
  const { client } = await connectToCannedBroker(t, {
    'attr.get': { value: 4, flags: 1 },
    'state-machine.get': { state: null },
  })
  await assert.rejects(getAttribute(client, 'size', LIMITS), {
    code: 'FLUX_PROTOCOL',
    topic: 'attr.get',
    message: 'Cannot read the answer to "attr.get": expected a string at "value", got 4',
  })
  await assert.rejects(getBrokerState(client, LIMITS), {
    code: 'FLUX_PROTOCOL',
    message:
      'Cannot read the answer to "state-machine.get": expected a string at "state", got null',
  })
})
