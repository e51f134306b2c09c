import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, VolumeMount } from '../../../webhook/injection/pod.ts'
import { placeSocket } from '../../../webhook/injection/socket.ts'
import { BROKER, leadPod } from '../support-objects.ts'

const SOCKET = '/mnt/flux/config/run/flux/local'
const EMPTY = { emptyDir: {} }

/** The lead broker's pod with these mounts of `a` and `b`, and what volume `a` is. */
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

test('placeSocket takes no folder for another that begins with the same letters', () => {
  const pod = podWith([{ name: 'a', mountPath: '/mnt/fl' }])
  const folder = '/mnt/flux/config/run/flux'
  assert.deepEqual(placeSocket(pod, SOCKET), { kind: 'new', path: SOCKET, folder })
})

test('placeSocket does not look at what only init containers mount', () => {
  const { volumeMounts: _none, ...broker } = BROKER
  const pod = leadPod({ spec: { containers: [broker] } })
  assert.equal(placeSocket(pod, SOCKET).kind, 'new')
})

/** Mounts of `/mnt/flux` in which no second container can find a socket. */
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
      'The socket\'s folder /mnt/flux/config/run/flux is on volume "a", which cannot be shared'
    assert.deepEqual(placeSocket(pod, SOCKET), unreachable(reason))
  })
}

test('placeSocket cannot share a volume that the pod does not have', () => {
  const place = placeSocket(podWith([{ name: 'c', mountPath: '/mnt/flux' }]), SOCKET)
  assert.equal(place.kind, 'unreachable')
})

/** Mounts that would hide what the sidecar has, or in which its own volumes could not be made. */
const IN_OUR_WAY = ['/', '/etc/', '/usr', '/run', '/var/run', '/var', '/var/run/flux-metrics']

for (const mountPath of IN_OUR_WAY) {
  test(`placeSocket cannot share a volume at ${mountPath}`, () => {
    const path = `${mountPath.replace(/\/$/, '')}/some/flux/local`
    const place = placeSocket(podWith([{ name: 'a', mountPath }]), path)
    const reason = `The socket's volume is mounted at ${mountPath}, where the sidecar has its own files`
    assert.deepEqual(place, unreachable(reason))
  })
}

test('placeSocket makes a volume for a broker of root', () => {
  const path = '/run/flux/local'
  assert.deepEqual(placeSocket(leadPod(), path), { kind: 'new', path, folder: '/run/flux' })
})

test('placeSocket makes a volume where the container says root and its pod does not', () => {
  const pod = podWith([], EMPTY, { securityContext: { runAsUser: 0 } })
  const spec = { ...pod.spec, securityContext: { runAsUser: 1000 } }
  assert.equal(placeSocket({ ...pod, spec }, '/run/flux/local').kind, 'new')
})

const NOT_ROOT =
  "No volume covers the socket's folder /run/flux, and a new one is for brokers of root: mount one there"

for (const securityContext of [{ runAsUser: 1000 }, { runAsNonRoot: true }]) {
  test(`placeSocket makes no volume for a broker of ${JSON.stringify(securityContext)}`, () => {
    const ofContainer = podWith([], EMPTY, { securityContext })
    const ofPod = leadPod({ spec: { securityContext } })
    for (const pod of [ofContainer, ofPod]) {
      assert.deepEqual(placeSocket(pod, '/run/flux/local'), unreachable(NOT_ROOT))
    }
  })
}

/** Folders that a new volume would hide, or that no runtime mounts one over. */
const NEVER_NEW = ['/etc', '/usr', '/run', '/var/run/flux-metrics/identity', '/proc/1', '/sys/x']

for (const folder of NEVER_NEW) {
  test(`placeSocket makes no volume at ${folder}`, () => {
    const reason = `No volume covers the socket's folder ${folder}, and a new one cannot be there: it would hide files that containers need`
    assert.deepEqual(placeSocket(leadPod(), `${folder}/local`), unreachable(reason))
  })
}
