import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advise } from '../../../webhook/admission/minicluster-advice.ts'
import { miniCluster, SCHEDULER } from '../support-objects.ts'

const DISABLED = miniCluster({ annotations: {} })
const ENABLED = miniCluster()
const NO_SOCKET = { flux: { disableSocket: true } }
const NOTHING = { warnings: [], event: undefined }

const PENDING_ON = {
  type: 'Normal',
  reason: 'MetricsPending',
  message:
    'The metrics sidecar comes when the index-0 pod is made again; deleting that pod does so, and ends the jobs of the MiniCluster',
}

const PENDING_OFF = {
  type: 'Normal',
  reason: 'MetricsPending',
  message:
    'The metrics sidecar stays until the index-0 pod is made again; deleting that pod does so, and ends the jobs of the MiniCluster',
}

const SOCKET_WARNING = 'flux-metrics/enabled: spec.flux.disableSocket is true, no metrics'

const MALFORMED = miniCluster({ annotations: { 'flux-metrics/enabled': 'yes' } })
const MALFORMED_WARNING = 'flux-metrics/enabled: expected "true" or "false", got "yes"'

test('advise has nothing to say to a new MiniCluster that is enabled', () => {
  assert.deepEqual(advise(ENABLED, undefined), NOTHING)
})

test('advise has nothing to say to one that asks for no metrics', () => {
  assert.deepEqual(advise(miniCluster({ annotations: {}, spec: NO_SOCKET }), undefined), NOTHING)
})

test('advise warns of an annotation that is no good', () => {
  const advice = { warnings: [MALFORMED_WARNING], event: undefined }
  assert.deepEqual(advise(MALFORMED, undefined), advice)
})

test('advise warns of an annotation meant for the pods', () => {
  const pod = { annotations: { 'flux-metrics/enabled': 'yes' } }
  assert.deepEqual(advise(miniCluster({ annotations: {}, spec: { pod } }), undefined), {
    warnings: [MALFORMED_WARNING],
    event: undefined,
  })
})

test('advise warns of metrics without a socket', () => {
  const advice = { warnings: [SOCKET_WARNING], event: undefined }
  assert.deepEqual(advise(miniCluster({ spec: NO_SOCKET }), undefined), advice)
})

test('advise is silent about an update that changes nothing of ours', () => {
  const resized = { ...MALFORMED, spec: { size: 4 } }
  assert.deepEqual(advise(resized, MALFORMED), NOTHING)
})

test('advise says when the sidecar comes to a MiniCluster that runs', () => {
  assert.deepEqual(advise(ENABLED, DISABLED), { warnings: [], event: PENDING_ON })
})

test('advise says until when the sidecar stays', () => {
  assert.deepEqual(advise(DISABLED, ENABLED), { warnings: [], event: PENDING_OFF })
})

test('advise takes the annotations of the pods for a switch as well', () => {
  const spec = { flux: SCHEDULER, pod: { annotations: { 'flux-metrics/enabled': 'true' } } }
  const enabled = miniCluster({ annotations: {}, spec })
  assert.deepEqual(advise(enabled, DISABLED), { warnings: [], event: PENDING_ON })
})

test('advise warns, and announces no sidecar, where there is no socket', () => {
  const enabled = miniCluster({ spec: NO_SOCKET })
  const disabled = miniCluster({ annotations: {}, spec: NO_SOCKET })
  assert.deepEqual(advise(enabled, disabled), { warnings: [SOCKET_WARNING], event: undefined })
})

test('advise warns of another annotation and is silent about the switch that was made before', () => {
  const after = miniCluster({
    annotations: { 'flux-metrics/enabled': 'true', 'flux-metrics/log-level': 'loud' },
  })
  const { warnings, event } = advise(after, ENABLED)
  assert.deepEqual([warnings.length, event], [1, undefined])
})

const FCFS_WARNING =
  'spec.flux.scheduler.queuePolicy: with fcfs, the default, Fluxion refuses jobs for more nodes than are up, ' +
  'and the MiniCluster does not grow for them: set conservative'

const LONODE = {
  flux: { scheduler: { queuePolicy: 'fcfs' } },
  containers: [{ environment: { FLUXION_RESOURCE_OPTIONS: 'match-policy=lonode' } }],
}

test('advise warns of a scheduler that defeats autoscaling', () => {
  const advice = { warnings: [FCFS_WARNING], event: undefined }
  assert.deepEqual(advise(miniCluster({ spec: LONODE }), undefined), advice)
})

test('advise says nothing of the scheduler where no metrics are asked for, or there is no socket', () => {
  assert.deepEqual(advise(miniCluster({ annotations: {}, spec: LONODE }), undefined), NOTHING)
  const flux = { ...LONODE.flux, disableSocket: true }
  const { warnings } = advise(miniCluster({ spec: { ...LONODE, flux } }), undefined)
  assert.deepEqual(warnings, [SOCKET_WARNING])
})

test('advise warns of the scheduler when it, or whether metrics are asked for, changes', () => {
  const fcfs = miniCluster({ spec: LONODE })
  assert.deepEqual(advise(fcfs, ENABLED).warnings, [FCFS_WARNING])
  assert.deepEqual(advise(ENABLED, fcfs).warnings, [])
  const resized = miniCluster({ spec: { ...LONODE, size: 4 } })
  assert.deepEqual(advise(resized, fcfs), NOTHING)
  const disabled = miniCluster({ annotations: {}, spec: LONODE })
  assert.deepEqual(advise(fcfs, disabled), { warnings: [FCFS_WARNING], event: PENDING_ON })
})
