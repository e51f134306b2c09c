import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VARIABLES } from '../../../sidecar/config.ts'
import { sidecarContainer } from '../../../webhook/injection/container.ts'
import { applyTo, pointer } from '../../../webhook/injection/json-patch.ts'
import { patchFor } from '../../../webhook/injection/patch.ts'
import type { Plan } from '../../../webhook/injection/plan.ts'
import { sidecarVolumes } from '../../../webhook/injection/volumes.ts'
import type { Pod } from '../../../webhook/objects/pod.ts'
import { SIDECAR } from '../support-admission.ts'
import { annotated, BROKER, leadPod } from '../support-objects.ts'

const PLAN: Plan = {
  kind: 'inject',
  minicluster: { namespace: 'default', name: 'flux-sample' },
  socket: {
    kind: 'shared',
    path: '/mnt/flux/config/run/flux/local',
    mount: { name: 'flux-view', mountPath: '/mnt/flux' },
  },
  native: true,
  settings: {},
  resources: { requests: { cpu: '25m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
}

/** A plan with a new volume for the socket. */
const NEW_SOCKET: Plan = {
  ...PLAN,
  socket: { kind: 'new', path: '/run/flux/local', folder: '/run/flux' },
}

function add(path: string, value: unknown) {
  return { op: 'add', path, value }
}

function pathsOf(pod: Pod, plan: Plan): readonly string[] {
  return patchFor(pod, plan, SIDECAR).map(({ path }) => path)
}

/** The operations of a patch on one field and the fields below it. */
function onField(field: string, pod: Pod, plan: Plan = PLAN) {
  return patchFor(pod, plan, SIDECAR).filter(({ path }) => path.startsWith(field))
}

test('patchFor adds labels, annotations, volumes and the sidecar, in that order', () => {
  assert.deepEqual(pathsOf(leadPod(), PLAN), [
    '/metadata/labels/api-server',
    '/metadata/labels/flux-metrics~1minicluster',
    '/metadata/annotations/flux-metrics~1injected',
    '/metadata/annotations/kubectl.kubernetes.io~1default-container',
    '/spec/volumes/-',
    '/spec/initContainers/-',
  ])
})

test('patchFor creates missing maps', () => {
  const pod = leadPod({ metadata: { labels: null, annotations: undefined } })
  assert.deepEqual(onField('/metadata', pod), [
    add('/metadata/labels', {
      'api-server': 'custom-metrics',
      'flux-metrics/minicluster': 'flux-sample',
    }),
    add('/metadata/annotations', {
      'flux-metrics/injected': '1.2.3',
      'kubectl.kubernetes.io/default-container': 'flux-sample',
    }),
  ])
})

test('patchFor does not set keys that already have the right value', () => {
  const labels = { 'api-server': 'custom-metrics', 'flux-metrics/minicluster': 'flux-sample' }
  assert.deepEqual(onField('/metadata/labels', leadPod({ metadata: { labels } })), [])
})

test('patchFor keeps the default container of the user', () => {
  const pod = annotated({ 'kubectl.kubernetes.io/default-container': 'helper' })
  assert.deepEqual(onField('/metadata/annotations', pod), [
    add('/metadata/annotations/flux-metrics~1injected', '1.2.3'),
  ])
})

test('patchFor creates a missing list of init containers with the sidecar alone', () => {
  const pod = leadPod({ spec: { initContainers: null } })
  assert.deepEqual(onField('/spec/initContainers', pod), [
    add('/spec/initContainers', [sidecarContainer(pod, PLAN, SIDECAR)]),
  ])
})

test('patchFor creates a missing list of volumes with the first, and appends the others', () => {
  const pod = leadPod({ spec: { volumes: undefined } })
  const [socket, identity] = sidecarVolumes(pod, NEW_SOCKET)
  assert.deepEqual(onField('/spec/volumes', pod, NEW_SOCKET), [
    add('/spec/volumes', [socket]),
    add('/spec/volumes/-', identity),
  ])
})

test("patchFor mounts a new volume for the socket in the broker's container, not in the first", () => {
  const helper = { name: 'helper' }
  const mount = { name: 'flux-metrics-socket', mountPath: '/run/flux' }
  const places = [
    [[BROKER, helper], 0],
    [[helper, BROKER], 1],
    [[helper, { name: 'x' }, BROKER], 2],
  ] as const
  for (const [containers, index] of places) {
    const pod = leadPod({ spec: { containers: [...containers] } })
    assert.deepEqual(onField('/spec/containers', pod, NEW_SOCKET), [
      add(`/spec/containers/${index}/volumeMounts/-`, mount),
    ])
  }
})

test('patchFor leaves the first container the default of kubectl, also before the broker', () => {
  const pod = leadPod({ spec: { containers: [{ name: 'helper' }, BROKER] } })
  const path = '/metadata/annotations/kubectl.kubernetes.io~1default-container'
  assert.deepEqual(onField(path, pod, PLAN), [add(path, 'helper')])
})

test('patchFor creates the list of mounts of a container without mounts', () => {
  const pod = leadPod({ spec: { containers: [{ name: 'flux-sample' }] } })
  const mount = { name: 'flux-metrics-socket', mountPath: '/run/flux' }
  assert.deepEqual(onField('/spec/containers', pod, NEW_SOCKET), [
    add('/spec/containers/0/volumeMounts', [mount]),
  ])
})

test('patchFor appends an ordinary container where native sidecars are not supported', () => {
  const ordinary = { ...PLAN, native: false }
  const pod = leadPod()
  assert.deepEqual(
    [onField('/spec/containers', pod, ordinary), onField('/spec/initContainers', pod, ordinary)],
    [[add('/spec/containers/-', sidecarContainer(pod, ordinary, SIDECAR))], []],
  )
})

test('patchFor gives the sidecar its port in the environment, in its ports and in its probe', () => {
  const { env, ports, livenessProbe } = sidecarContainer(
    leadPod(),
    { ...PLAN, settings: { port: 10_250 } },
    SIDECAR,
  )
  assert.ok(Array.isArray(env))
  assert.deepEqual(
    env.find(({ name }) => name === 'LISTEN_PORT'),
    { name: 'LISTEN_PORT', value: '10250' },
  )
  assert.deepEqual(ports, [{ name: 'custom-metrics', containerPort: 10_250, protocol: 'TCP' }])
  assert.match(JSON.stringify(livenessProbe), /"port":10250,/)
})

test('patchFor leaves no variable of the sidecar to Services: one named "listen" would set LISTEN_PORT', () => {
  // Kubernetes sets NAME_PORT, NAME_SERVICE_HOST and so on, in each container that does not set them itself.
  const ofServices = VARIABLES.map(({ name }) => name).filter((name) => name.endsWith('_PORT'))
  const { env } = sidecarContainer(leadPod(), PLAN, SIDECAR)
  assert.ok(Array.isArray(env))
  const names = env.map(({ name }) => name)
  assert.deepEqual(
    ofServices.filter((name) => !names.includes(name)),
    [],
  )
})

test('patchFor leaves out the probe with hostNetwork: another program of the node may answer it', () => {
  const pod = leadPod({ spec: { containers: [{ name: 'flux-sample' }], hostNetwork: true } })
  assert.equal(sidecarContainer(pod, PLAN, SIDECAR).livenessProbe, undefined)
})

test('patchFor writes the CA of the front proxy onto a pod with a provided certificate', () => {
  const plan: Plan = { ...PLAN, settings: { tlsSecret: 'serving' } }
  assert.deepEqual(onField('/metadata/annotations/flux-metrics~1client-ca', leadPod(), plan), [
    add('/metadata/annotations/flux-metrics~1client-ca', SIDECAR.frontProxy?.clientCa),
  ])
})

test('pointer escapes "~" and "/", in this order', () => {
  assert.equal(pointer(['a/b', '~1', 'c~d/e', '', '-']), '/a~1b/~01/c~0d~1e//-')
})

test('applyTo returns a new object and leaves the pod unchanged', () => {
  const pod = leadPod()
  const before = structuredClone(pod)
  const after = applyTo(pod, [{ op: 'add', path: '/metadata/labels/a~1b', value: 'c' }])
  assert.deepEqual(pod, before)
  const labels = { ...pod.metadata.labels, 'a/b': 'c' }
  assert.deepEqual(after, { ...pod, metadata: { ...pod.metadata, labels } })
})

for (const path of ['/metadata/finalizers/-', '/spec/containers/7', '/spec/containers/a', 'spec']) {
  test(`applyTo throws for a patch at ${path}`, () => {
    assert.throws(
      () => applyTo(leadPod(), [{ op: 'add', path, value: 'x' }]),
      (error) =>
        error instanceof Error &&
        error.message.startsWith('Cannot apply the patch: ') &&
        error.cause instanceof Error,
    )
  })
}
