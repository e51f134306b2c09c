import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, VolumeMount } from '../../../webhook/injection/pod.ts'
import { placeSocket } from '../../../webhook/injection/socket.ts'
import { BROKER, leadPod } from '../support-objects.ts'

const SOCKET = '/mnt/flux/config/run/flux/local'
const EMPTY = { emptyDir: {} }

/** The lead broker's pod with these mounts of the volumes `a` and `b`; `a` has this source. */
function podWith(mounts: readonly VolumeMount[], a: object = EMPTY, context: object = {}) {
  const broker: Container = { ...BROKER, volumeMounts: [...mounts], ...context }
  const volumes = [
    { name: 'a', ...a },
    { name: 'b', ...EMPTY },
  ]
  return leadPod({ spec: { containers: [broker], volumes } })
}

function unreachable(reason: string) {
  return { kind: 'unreachable', reason }
}

test('placeSocket shares the volume that covers the folder', () => {
  const mount = { name: 'flux-view', mountPath: '/mnt/flux' }
  assert.deepEqual(placeSocket(leadPod(), SOCKET), { kind: 'shared', path: SOCKET, mount })
})

test('placeSocket shares the innermost volume, as the container sees it', () => {
  const inner = { name: 'b', mountPath: '/mnt/flux/config/run/' }
  const pod = podWith([{ name: 'a', mountPath: '/mnt/flux' }, inner])
  assert.deepEqual(placeSocket(pod, SOCKET), { kind: 'shared', path: SOCKET, mount: inner })
})

test('placeSocket keeps the sub-path of a mount', () => {
  const mount = { name: 'a', mountPath: '/mnt/flux', subPath: 'lead' }
  const place = placeSocket(podWith([mount]), SOCKET)
  assert.deepEqual(place, { kind: 'shared', path: SOCKET, mount })
})

test('placeSocket shares the volume of the first container that makes a socket there', () => {
  const { volumeMounts: _none, ...first } = BROKER
  const mount = { name: 'flux-view', mountPath: '/mnt/flux' }
  const second = { ...BROKER, name: 'second', volumeMounts: [mount] }
  const pod = leadPod({ spec: { containers: [first, second] } })
  assert.deepEqual(placeSocket(pod, SOCKET), { kind: 'shared', path: SOCKET, mount })
})

test('placeSocket does not confuse folders whose names begin with the same letters', () => {
  const pod = podWith([{ name: 'a', mountPath: '/mnt/fl' }])
  const folder = '/mnt/flux/config/run/flux'
  assert.deepEqual(placeSocket(pod, SOCKET), { kind: 'new', path: SOCKET, folder })
})

test('placeSocket ignores the mounts of init containers', () => {
  const { volumeMounts: _none, ...broker } = BROKER
  const pod = leadPod({ spec: { containers: [broker] } })
  assert.equal(placeSocket(pod, SOCKET).kind, 'new')
})

/** Mounts of `/mnt/flux` that a second container cannot share. */
const NOT_SHAREABLE: readonly (readonly [string, Partial<VolumeMount>, object])[] = [
  ['a mount that is read-only', { readOnly: true }, EMPTY],
  ['a sub-path with variables', { subPathExpr: '$(POD)' }, EMPTY],
  ['a ConfigMap', {}, { configMap: { name: 'scripts' } }],
  ['a Secret', {}, { secret: { secretName: 'munge' } }],
  ['a projected volume', {}, { projected: { sources: [] } }],
  ['the downward API', {}, { downwardAPI: { items: [] } }],
  ['an image', {}, { image: { reference: 'view' } }],
]

for (const [what, options, source] of NOT_SHAREABLE) {
  test(`placeSocket cannot share ${what}`, () => {
    const pod = podWith([{ name: 'a', mountPath: '/mnt/flux', ...options }], source)
    const reason =
      'The sidecar cannot share volume "a" with the socket\'s folder /mnt/flux/config/run/flux: mount a writable volume there'
    assert.deepEqual(placeSocket(pod, SOCKET), unreachable(reason))
  })
}

test('placeSocket cannot share a volume that the pod does not have', () => {
  const place = placeSocket(podWith([{ name: 'c', mountPath: '/mnt/flux' }]), SOCKET)
  assert.equal(place.kind, 'unreachable')
})

/** Mounts that would hide files of the sidecar, or in which its own volumes cannot be mounted. */
const HIDING = ['/', '/etc/', '/usr', '/run', '/var/run', '/var', '/var/run/flux-metrics']

for (const mountPath of HIDING) {
  test(`placeSocket cannot share a volume at ${mountPath}`, () => {
    const path = `${mountPath.replace(/\/$/, '')}/some/flux/local`
    const place = placeSocket(podWith([{ name: 'a', mountPath }]), path)
    const reason = `The socket's volume is mounted at ${mountPath}, where the sidecar has its own files: mount it elsewhere`
    assert.deepEqual(place, unreachable(reason))
  })
}

test('placeSocket makes a volume for a broker that runs as root', () => {
  const path = '/run/flux/local'
  assert.deepEqual(placeSocket(leadPod(), path), { kind: 'new', path, folder: '/run/flux' })
})

test('placeSocket makes a volume where the container runs as root and its pod has another UID', () => {
  const pod = podWith([], EMPTY, { securityContext: { runAsUser: 0 } })
  const spec = { ...pod.spec, securityContext: { runAsUser: 1000 } }
  assert.equal(placeSocket({ ...pod, spec }, '/run/flux/local').kind, 'new')
})

const NOT_ROOT =
  "No volume is mounted for the socket's folder /run/flux, and a new one needs a broker that runs as root: mount a volume there"

for (const securityContext of [{ runAsUser: 1000 }, { runAsNonRoot: true }]) {
  test(`placeSocket makes no volume for a broker with ${JSON.stringify(securityContext)}`, () => {
    const ofContainer = podWith([], EMPTY, { securityContext })
    const ofPod = leadPod({ spec: { securityContext } })
    for (const pod of [ofContainer, ofPod]) {
      assert.deepEqual(placeSocket(pod, '/run/flux/local'), unreachable(NOT_ROOT))
    }
  })
}

/** Folders whose files a new volume would hide, or where the container runtime refuses one. */
const NEVER_NEW = ['/etc', '/usr', '/run', '/var/run/flux-metrics/identity', '/proc/1', '/sys/x']

for (const folder of NEVER_NEW) {
  test(`placeSocket makes no volume at ${folder}`, () => {
    const reason = `No volume is mounted for the socket's folder ${folder}, and a new one there would hide files: move the socket to another folder`
    assert.deepEqual(placeSocket(leadPod(), `${folder}/local`), unreachable(reason))
  })
}
