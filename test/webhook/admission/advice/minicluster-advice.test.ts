import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advise } from '../../../../webhook/admission/advice/minicluster-advice.ts'
import { miniCluster, RUNNING, SCHEDULER } from '../../support-objects.ts'

const DISABLED = { ...miniCluster({ annotations: {} }), ...RUNNING }
const ENABLED = { ...miniCluster(), ...RUNNING }
const NO_SOCKET = { flux: { disableSocket: true } }
const NOTHING = { warnings: [], events: [] }

const PENDING_ON = {
  type: 'Normal',
  reason: 'MetricsPending',
  message:
    'The metrics sidecar starts when the index-0 pod is created again: delete that pod to do so now, which ends the jobs of the MiniCluster',
}

const PENDING_OFF = {
  type: 'Normal',
  reason: 'MetricsPending',
  message:
    'The metrics sidecar stays until the index-0 pod is created again: delete that pod to do so now, which ends the jobs of the MiniCluster',
}

const ON_WARNING = `flux-metrics/enabled: ${PENDING_ON.message}`
const OFF_WARNING = `flux-metrics/enabled: ${PENDING_OFF.message}`

const SOCKET_WARNING =
  'flux-metrics/enabled: no metrics without the socket of the broker: set spec.flux.disableSocket to false'

const MALFORMED = miniCluster({ annotations: { 'flux-metrics/enabled': 'yes' } })
const MALFORMED_WARNING = 'flux-metrics/enabled: expected "true" or "false", got "yes"'

test('advise gives no advice for a new MiniCluster that is enabled', () => {
  assert.deepEqual(advise(ENABLED, undefined), NOTHING)
})

test('advise gives no advice for a MiniCluster that asks for no metrics', () => {
  assert.deepEqual(advise(miniCluster({ annotations: {}, spec: NO_SOCKET }), undefined), NOTHING)
})

test('advise warns of an annotation with an invalid value', () => {
  const advice = { warnings: [MALFORMED_WARNING], events: [] }
  assert.deepEqual(advise(MALFORMED, undefined), advice)
})

test('advise warns of an annotation meant for the pods', () => {
  const pod = { annotations: { 'flux-metrics/enabled': 'yes' } }
  assert.deepEqual(advise(miniCluster({ annotations: {}, spec: { pod } }), undefined), {
    warnings: [MALFORMED_WARNING],
    events: [],
  })
})

for (const key of ['flux-metrics/injected', 'flux-metrics/client-ca']) {
  test(`advise warns of ${key}, which makes pods look as if they had the sidecar`, () => {
    const warnings = [`${key}: only the webhook writes it, and on pods alone: remove it`]
    const advice = { warnings, events: [] }
    const pod = { annotations: { [key]: '0.2.0' } }
    assert.deepEqual(advise(miniCluster({ annotations: {}, spec: { pod } }), undefined), advice)
    const onItself = miniCluster({ annotations: { [key]: '' } })
    assert.deepEqual(advise(onItself, undefined), advice)
    assert.deepEqual(advise(onItself, onItself), NOTHING)
  })
}

test('advise warns where metrics are asked for and the broker has no socket', () => {
  const advice = { warnings: [SOCKET_WARNING], events: [] }
  assert.deepEqual(advise(miniCluster({ spec: NO_SOCKET }), undefined), advice)
})

test('advise gives no advice for an update that changes no setting', () => {
  const resized = { ...MALFORMED, spec: { ...MALFORMED.spec, size: 4 } }
  assert.deepEqual(advise(resized, MALFORMED), NOTHING)
})

test('advise says when the sidecar of a running MiniCluster starts', () => {
  assert.deepEqual(advise(ENABLED, DISABLED), { warnings: [ON_WARNING], events: [PENDING_ON] })
})

test('advise says until when the sidecar of a disabled MiniCluster stays', () => {
  assert.deepEqual(advise(DISABLED, ENABLED), { warnings: [OFF_WARNING], events: [PENDING_OFF] })
})

test('advise follows a switch by the annotations of the pods as well', () => {
  const spec = { flux: SCHEDULER, pod: { annotations: { 'flux-metrics/enabled': 'true' } } }
  const enabled = { ...miniCluster({ annotations: {}, spec }), ...RUNNING }
  assert.deepEqual(advise(enabled, DISABLED), { warnings: [ON_WARNING], events: [PENDING_ON] })
})

test('advise warns and announces no sidecar where the broker has no socket', () => {
  const enabled = { ...miniCluster({ spec: NO_SOCKET }), ...RUNNING }
  const disabled = { ...miniCluster({ annotations: {}, spec: NO_SOCKET }), ...RUNNING }
  assert.deepEqual(advise(enabled, disabled), { warnings: [SOCKET_WARNING], events: [] })
})

test('advise warns of another annotation and does not repeat an earlier switch', () => {
  const after = miniCluster({
    annotations: { 'flux-metrics/enabled': 'true', 'flux-metrics/log-level': 'loud' },
  })
  const { warnings, events } = advise(after, ENABLED)
  assert.deepEqual([warnings.length, events], [1, []])
})

const FCFS_WARNING =
  'spec.flux.scheduler.queuePolicy: with fcfs, the default, Fluxion refuses jobs for more nodes than are up, ' +
  'and the MiniCluster does not grow for them: set conservative'

const LONODE = {
  flux: { scheduler: { queuePolicy: 'fcfs' } },
  containers: [{ environment: { FLUXION_RESOURCE_OPTIONS: 'match-policy=lonode' } }],
}

test('advise warns of a scheduler that defeats autoscaling', () => {
  const advice = { warnings: [FCFS_WARNING], events: [] }
  assert.deepEqual(advise(miniCluster({ spec: LONODE }), undefined), advice)
})

test('advise says nothing about the scheduler without metrics, or without a socket', () => {
  assert.deepEqual(advise(miniCluster({ annotations: {}, spec: LONODE }), undefined), NOTHING)
  const flux = { ...LONODE.flux, disableSocket: true }
  const { warnings } = advise(miniCluster({ spec: { ...LONODE, flux } }), undefined)
  assert.deepEqual(warnings, [SOCKET_WARNING])
})

test('advise warns of the scheduler when its settings or flux-metrics/enabled change', () => {
  const fcfs = miniCluster({ spec: LONODE })
  assert.deepEqual(advise(fcfs, ENABLED).warnings, [FCFS_WARNING])
  assert.deepEqual(advise(ENABLED, fcfs), NOTHING)
  const resized = miniCluster({ spec: { ...LONODE, size: 4 } })
  assert.deepEqual(advise(resized, fcfs), NOTHING)
  const disabled = miniCluster({ annotations: {}, spec: LONODE })
  assert.deepEqual(advise({ ...fcfs, ...RUNNING }, disabled), {
    warnings: [ON_WARNING, FCFS_WARNING],
    events: [PENDING_ON],
  })
})

test('advise announces nothing for a MiniCluster that has no pods yet, or none any more', () => {
  const status = { conditions: [{ type: 'JobFinished', status: 'True' }] }
  for (const enabled of [miniCluster(), { ...miniCluster(), status }]) {
    assert.deepEqual(advise(enabled, DISABLED), NOTHING)
  }
})

const SIZE_WARNING =
  'spec.maxSize: not set, so this MiniCluster cannot grow above its first size, and the operator undoes ' +
  'what an HPA asks for: set it'

for (const maxSize of [undefined, null, 0]) {
  test(`advise warns of a MiniCluster whose maxSize is ${maxSize}`, () => {
    const spec = { flux: SCHEDULER, size: 2, maxSize }
    const advice = { warnings: [SIZE_WARNING], events: [] }
    assert.deepEqual(advise(miniCluster({ spec }), undefined), advice)
    assert.deepEqual(advise(miniCluster({ annotations: {}, spec }), undefined), NOTHING)
  })
}

/** A MiniCluster of this size that runs. */
function sized(size: number | null, maxSize = 16) {
  return { ...miniCluster({ spec: { flux: SCHEDULER, size, maxSize } }), ...RUNNING }
}

for (const [to, ranks] of [
  [2, 'the ranks from 2 to 9'],
  [9, 'rank 9'],
] as const) {
  test(`advise warns of a size of ${to} that somebody sets instead of 10`, () => {
    const message =
      `spec.size: ${to} instead of 10 ends all jobs on ${ranks}, whatever the metrics say: leave the size to the HPA ` +
      '(a file that is applied again sets it back)'
    const events = [{ type: 'Warning', reason: 'MetricsSize', message }]
    assert.deepEqual(advise(sized(to), sized(10)), { warnings: [message], events })
    assert.ok(message.length <= 200)
  })
}

test('advise says nothing of a size that ends no jobs, or that only the operator sets', () => {
  assert.deepEqual(advise(sized(10), sized(2)), NOTHING)
  assert.deepEqual(advise(sized(10), sized(10)), NOTHING)
  assert.deepEqual(advise(sized(null), sized(10)), NOTHING)
  assert.deepEqual(advise({ ...sized(2), status: null }, sized(10)), NOTHING)
  const { metadata } = DISABLED
  assert.deepEqual(advise({ ...sized(2), metadata }, { ...sized(10), metadata }), NOTHING)
  assert.deepEqual(advise(sized(2, 0), sized(10, 0)), NOTHING)
})

test('advise warns of metrics that no HPA can read, once they are asked for', () => {
  const unreached = ['No HPA can read its metrics: why']
  assert.deepEqual(advise(ENABLED, undefined, unreached).warnings, unreached)
  assert.deepEqual(advise(ENABLED, DISABLED, unreached).warnings, [ON_WARNING, ...unreached])
  assert.deepEqual(
    advise({ ...ENABLED, spec: { ...ENABLED.spec, size: 3 } }, ENABLED, unreached),
    NOTHING,
  )
  assert.deepEqual(advise(DISABLED, undefined, unreached), NOTHING)
})

test('advise is short enough for kubectl', () => {
  for (const warning of [ON_WARNING, OFF_WARNING, SIZE_WARNING]) assert.ok(warning.length <= 200)
})

const UNPROTECTED = { flux: SCHEDULER, pod: { annotations: {} } }
const EXPOSED = { ...miniCluster({ spec: UNPROTECTED }), ...RUNNING }
const EXPOSED_OFF = { ...miniCluster({ annotations: {}, spec: UNPROTECTED }), ...RUNNING }
const OPTED_OUT = {
  ...miniCluster({
    annotations: { 'flux-metrics/enabled': 'true', 'flux-metrics/protect': 'false' },
    spec: UNPROTECTED,
  }),
  ...RUNNING,
}
const { status: _status, ...EXPOSED_WITHOUT_JOB } = EXPOSED

/** The reasons of the Events, and whether the user is warned that pods may be evicted. */
function told(...[now, before]: Parameters<typeof advise>) {
  const { warnings, events } = advise(now, before)
  const isWarned = warnings.some((text) =>
    text.startsWith('flux-metrics/protect: node autoscalers'),
  )
  return { reasons: events.map(({ reason }) => reason), isWarned }
}

for (const [what, now, before] of [
  ['is switched off', EXPOSED, OPTED_OUT],
  ['comes as annotations that its pods do not get', ENABLED, EXPOSED],
] as const) {
  test(`advise says that running pods stay unprotected where the exception or cure ${what}`, () => {
    assert.deepEqual(told(now, before), { reasons: ['MetricsUnprotected'], isWarned: true })
  })
}

test('advise says so of a running MiniCluster that is enabled', () => {
  const reasons = ['MetricsPending', 'MetricsUnprotected']
  assert.deepEqual(told(EXPOSED, EXPOSED_OFF), { reasons, isWarned: true })
})

for (const [what, now, before] of [
  ['that is new', EXPOSED, undefined],
  ['without pods yet', EXPOSED_WITHOUT_JOB, EXPOSED_OFF],
  ['whose pods have what its spec has lost', EXPOSED, ENABLED],
  ['that is resized', { ...EXPOSED, spec: { ...EXPOSED.spec, size: 3 } }, EXPOSED],
  ['that opts out', OPTED_OUT, EXPOSED],
] as const) {
  test(`advise says nothing about the protection of a MiniCluster ${what}`, () => {
    assert.deepEqual(told(now, before), { reasons: [], isWarned: false })
  })
}

test('the warnings with the cures are short enough for kubectl', () => {
  for (const warning of advise(EXPOSED, EXPOSED_OFF).warnings) {
    assert.ok(warning.length <= 200, `${warning.length}: ${warning}`)
  }
})
