import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toSidecarPod } from '../../../../webhook/gateway/peers/sidecar-pod.ts'
import { createdAt, SIDECAR, sidecarPod } from './support-pods.ts'

const { metadata: META } = sidecarPod()

test('a running pod with a sidecar can be asked at its address', () => {
  assert.deepEqual(toSidecarPod(sidecarPod({ age: 7 })), {
    namespace: 'hpc',
    minicluster: 'flux-sample',
    pod: 'flux-sample-0-abcde',
    uid: 'uid-of-flux-sample-0-abcde',
    job: 'uid-of-job',
    createdAt: createdAt(7),
    version: '0.1.0',
    state: { kind: 'askable', address: '10.1.2.3', port: 8443 },
  })
})

const state = (changes: Parameters<typeof sidecarPod>[0]) =>
  toSidecarPod(sidecarPod(changes))?.state

test('the sidecar may be an ordinary container, have another port, and an IPv6 address', () => {
  const ports = [{ name: 'custom-metrics', containerPort: 9443 }]
  const spec = { initContainers: null, containers: [{ name: 'x' }, { ...SIDECAR, ports }] }
  const status = { podIP: 'fd00::12', initContainerStatuses: null }
  assert.deepEqual(state({ spec, status }), { kind: 'askable', address: 'fd00::12', port: 9443 })
})

test("with the node's network the environment says the port", () => {
  const { ports: _ports, ...undeclared } = SIDECAR
  const env = [{ name: 'LISTEN_PORT', value: '18443' }]
  const of = (container: object) =>
    state({ spec: { hostNetwork: true, initContainers: [container] } })
  const askable = { kind: 'askable', address: '10.1.2.3' }
  assert.deepEqual(of({ ...undeclared, env }), { ...askable, port: 18443 })
  assert.deepEqual(of({ name: 'flux-metrics' }), { ...askable, port: 8443 })
  for (const value of ['', 'x', '0', '70000', '1.5']) {
    const bad = of({ ...undeclared, env: [{ name: 'LISTEN_PORT', value }] })
    assert.deepEqual(bad, { kind: 'waiting', why: 'has a sidecar without a valid port' }, value)
  }
})

test('whether the pod is ready does not matter', () => {
  const conditions = [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' }]
  assert.equal(state({ status: { conditions } })?.kind, 'askable')
  assert.equal(state({ status: { phase: 'Pending' } })?.kind, 'askable')
})

for (const [what, status, why] of [
  [
    'its image cannot be pulled',
    {
      initContainerStatuses: [
        { name: 'flux-metrics', state: { waiting: { reason: 'ImagePullBackOff' } } },
      ],
    },
    'has a sidecar that waits: ImagePullBackOff',
  ],
  [
    'it ended',
    {
      initContainerStatuses: [
        { name: 'flux-metrics', state: { terminated: { reason: 'OOMKilled', exitCode: 137 } } },
      ],
    },
    'has a sidecar that ended with code 137 (OOMKilled)',
  ],
  [
    'it has no address',
    { podIP: null, phase: 'Pending', initContainerStatuses: [] },
    'has no IP address yet (Pending)',
  ],
  [
    'it has no status',
    { podIP: null, phase: null, initContainerStatuses: [] },
    'has no IP address yet (no reason is given)',
  ],
  ['its address is none', { podIP: 'localhost' }, 'has no IP address yet (Running)'],
  [
    'no node has room',
    {
      podIP: null,
      phase: 'Pending',
      initContainerStatuses: null,
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
    },
    'is on no node: Unschedulable',
  ],
] as const) {
  test(`a pod cannot be asked yet: ${what}`, () => {
    assert.deepEqual(state({ status }), { kind: 'waiting', why })
  })
}

test('a pod that has ended or is being deleted is never asked', () => {
  const ended = (phase: string) => state({ status: { phase } })
  assert.deepEqual(ended('Succeeded'), { kind: 'finished', why: 'has ended (Succeeded)' })
  assert.deepEqual(ended('Failed'), { kind: 'over', why: 'has ended (Failed)' })
  const metadata = { deletionTimestamp: '2026-11-29T06:00:00Z' }
  for (const status of [{}, { phase: 'Succeeded' }]) {
    assert.deepEqual(state({ metadata, status }), { kind: 'over', why: 'is being deleted' })
  }
})

const [OWNER] = META?.ownerReferences ?? []

for (const [what, changes] of [
  [
    'another MiniCluster in its label than its Job',
    { metadata: { ownerReferences: [{ ...OWNER, name: 'other' }] } },
  ],
  ['no owner', { metadata: { ownerReferences: [] } }],
  [
    'an owner that is no controller',
    { metadata: { ownerReferences: [{ ...OWNER, controller: false }] } },
  ],
  [
    'an owner that is no Job',
    { metadata: { ownerReferences: [{ ...OWNER, kind: 'StatefulSet' }] } },
  ],
  [
    'a Job of another group',
    { metadata: { ownerReferences: [{ ...OWNER, apiVersion: 'x.io/v1' }] } },
  ],
  [
    'another index',
    {
      metadata: {
        annotations: { ...META?.annotations, 'batch.kubernetes.io/job-completion-index': '1' },
      },
    },
  ],
  ['no annotation of the webhook', { metadata: { annotations: {} } }],
  ['no labels', { metadata: { labels: null } }],
  ['a label of another value', { metadata: { labels: { ...META?.labels, 'api-server': 'x' } } }],
  ['no sidecar', { spec: { initContainers: [] } }],
  ['no valid time', { metadata: { creationTimestamp: 'now' } }],
  ['a field of another type', { status: { podIP: 7 } }],
] as const) {
  test(`a pod with ${what} is no lead broker with a sidecar`, () => {
    assert.equal(toSidecarPod(sidecarPod(changes)), undefined)
  })
}

test('anything else is no pod, and no text of it is kept whole', () => {
  for (const object of [{}, { metadata: {} }, { kind: 'Status', code: 410 }]) {
    assert.equal(toSidecarPod(object), undefined)
  }
  const annotations = { ...META?.annotations, 'flux-metrics/injected': 'v'.repeat(200_000) }
  assert.equal(toSidecarPod(sidecarPod({ metadata: { annotations } }))?.version.length, 65)
})
