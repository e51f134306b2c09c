import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  allContainers,
  brokerIndex,
  COMPLETION_INDEX,
  type Container,
  completionIndexOf,
  controllerOf,
  displayName,
  hostsPort,
  type Owner,
  toPod,
} from '../../../webhook/objects/pod.ts'
import { JOB_OWNER, leadPod } from '../support-objects.ts'

test('toPod returns a pod unchanged, with its unknown fields', () => {
  const pod = { ...leadPod(), status: { phase: 'Pending' } }
  assert.equal(toPod(pod), pod)
})

test('toPod accepts null for missing fields, as Go writes them', () => {
  const pod = leadPod({
    metadata: { labels: null, annotations: null, ownerReferences: null },
    spec: { initContainers: null, volumes: null },
  })
  assert.equal(toPod(pod), pod)
})

const NO_PODS: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['a string', 'pod'],
  ['a pod without spec', { metadata: {} }],
  ['a pod without containers', { metadata: {}, spec: { containers: [] } }],
  ['a container without name', { metadata: {}, spec: { containers: [{ image: 'a' }] } }],
  [
    'labels that are numbers',
    { metadata: { labels: { a: 1 } }, spec: { containers: [{ name: 'a' }] } },
  ],
  ['volumes that are a map', { metadata: {}, spec: { containers: [{ name: 'a' }], volumes: {} } }],
]

for (const [what, object] of NO_PODS) {
  test(`toPod does not accept ${what}`, () => {
    assert.equal(toPod(object), undefined)
  })
}

test('controllerOf finds the owner that controls, not the first', () => {
  const other = { ...JOB_OWNER, uid: 'other', controller: false }
  assert.deepEqual(controllerOf({ ownerReferences: [other, JOB_OWNER] }), JOB_OWNER)
})

test('controllerOf finds none among owners that do not control', () => {
  const { controller: _controller, ...owner } = JOB_OWNER
  assert.deepEqual(
    [controllerOf<Owner>({ ownerReferences: [owner] }), controllerOf({})],
    [undefined, undefined],
  )
})

test('completionIndexOf reads the annotation, and the label where there is none', () => {
  const labels = { [COMPLETION_INDEX]: '1' }
  assert.deepEqual(
    [
      completionIndexOf({ labels }),
      completionIndexOf({ labels, annotations: { [COMPLETION_INDEX]: '0' } }),
      completionIndexOf({}),
    ],
    ['1', '0', undefined],
  )
})

for (const [names, index] of [
  [['helper', 'flux-sample'], 1],
  [['helper', 'flux-sample-1'], 1],
  [['flux-sample-0', 'flux-sample'], 1],
  [['flux-sample-1', 'helper'], 0],
  [['helper', 'other'], 0],
] as const) {
  test(`brokerIndex finds the broker at ${index} of ${names.join(', ')}`, () => {
    const pod = leadPod({ spec: { containers: names.map((name) => ({ name })) } })
    assert.equal(brokerIndex(pod, 'flux-sample'), index)
  })
}

test('allContainers begins with the init containers', () => {
  assert.deepEqual(
    allContainers(leadPod()).map(({ name }) => name),
    ['flux-view', 'flux-sample'],
  )
})

function portOf(port: NonNullable<Container['ports']>[number]): Container {
  return { name: 'a', ports: [port] }
}

test('hostsPort finds a port with protocol TCP, set or by default', () => {
  const explicit = portOf({ containerPort: 8443, protocol: 'TCP' })
  const byDefault = portOf({ containerPort: 8443 })
  assert.deepEqual([hostsPort(explicit, 8443), hostsPort(byDefault, 8443)], [true, true])
})

test('hostsPort finds a port of the node', () => {
  assert.equal(hostsPort(portOf({ containerPort: 80, hostPort: 8443 }), 8443), true)
})

test('hostsPort ignores other ports and UDP, and finds none in a container without ports', () => {
  const other = portOf({ containerPort: 8442 })
  const udp = portOf({ containerPort: 8443, protocol: 'UDP' })
  assert.deepEqual(
    [other, udp, { name: 'a' }, { name: 'a', ports: null }].map((it) => hostsPort(it, 8443)),
    [false, false, false, false],
  )
})

test('displayName is the name, or the beginning of a name that is not chosen yet', () => {
  assert.deepEqual(
    [
      leadPod({ metadata: { name: 'byhand' } }),
      leadPod(),
      leadPod({ metadata: { generateName: null } }),
    ].map(displayName),
    ['byhand', 'flux-sample-0-*', '?'],
  )
})
