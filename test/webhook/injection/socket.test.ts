import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as socket from '../../../webhook/injection/socket.ts'
import type { Container, Pod, VolumeMount } from '../../../webhook/objects/pod.ts'
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

/** Finds the socket of the MiniCluster flux-sample, whose broker's container has that name. */
function placeSocket(pod: Pod, path: string) {
  return socket.placeSocket(pod, path, 'flux-sample')
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

for (const mountPath of ['/run//flux', '/run/./flux/', '/tmp/../run/flux', 'run/flux']) {
  test(`placeSocket hides no volume that is mounted at ${mountPath}`, () => {
    const mount = { name: 'a', mountPath }
    const place = placeSocket(podWith([mount]), '/run/flux/local')
    assert.deepEqual(place, { kind: 'shared', path: '/run/flux/local', mount })
  })
}

test('placeSocket normalizes a long path at once', () => {
  const mountPath = `/${'a/../'.repeat(100_000)}b${'/'.repeat(100_000)}c`
  const before = process.cpuUsage()
  placeSocket(podWith([{ name: 'a', mountPath }]), '/run/flux/local')
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 1_000_000)
})

test('placeSocket keeps the sub-path of a mount', () => {
  const mount = { name: 'a', mountPath: '/mnt/flux', subPath: 'lead' }
  const place = placeSocket(podWith([mount]), SOCKET)
  assert.deepEqual(place, { kind: 'shared', path: SOCKET, mount })
})

test("placeSocket shares the volume of the broker's container, wherever it stands", () => {
  const helper = { name: 'proxy', volumeMounts: [{ name: 'b', mountPath: '/mnt/flux' }] }
  const mount = { name: 'a', mountPath: '/mnt/flux' }
  const { spec } = podWith([mount])
  for (const containers of [
    [helper, ...spec.containers],
    [...spec.containers, helper],
  ]) {
    const pod = leadPod({ spec: { ...spec, containers } })
    assert.deepEqual(placeSocket(pod, SOCKET), { kind: 'shared', path: SOCKET, mount })
  }
})

test("placeSocket does not share a volume that only a helper mounts at the socket's folder", () => {
  const { volumeMounts, ...broker } = BROKER
  const pod = leadPod({ spec: { containers: [{ name: 'proxy', volumeMounts }, broker] } })
  assert.equal(placeSocket(pod, SOCKET).kind, 'new')
})

test("placeSocket asks for the UID of the broker's container, not of the first", () => {
  const helper = { name: 'proxy', securityContext: { runAsUser: 1337, runAsNonRoot: true } }
  const behind = leadPod({ spec: { containers: [helper, BROKER] } })
  assert.equal(placeSocket(behind, '/run/flux/local').kind, 'new')
  const broker = { ...BROKER, securityContext: { runAsUser: 1000 } }
  const nonRoot = leadPod({ spec: { containers: [{ name: 'proxy' }, broker] } })
  assert.deepEqual(placeSocket(nonRoot, '/run/flux/local'), unreachable(NOT_ROOT))
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
      'Mount a writable volume at the socket\'s folder /mnt/flux/config/run/flux: the sidecar cannot share volume "a"'
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
    const reason = `Mount the socket's volume elsewhere: the sidecar has its own files at ${mountPath}`
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
  "Mount a volume at the socket's folder: the broker does not run as root, as a new volume needs at /run/flux"

for (const securityContext of [{ runAsUser: 1000 }, { runAsNonRoot: true }]) {
  test(`placeSocket makes no volume for a broker with ${JSON.stringify(securityContext)}`, () => {
    const ofContainer = podWith([], EMPTY, { securityContext })
    const ofPod = leadPod({ spec: { securityContext } })
    for (const pod of [ofContainer, ofPod]) {
      assert.deepEqual(placeSocket(pod, '/run/flux/local'), unreachable(NOT_ROOT))
    }
  })
}

/** Folders made for sockets: images have no files there. */
const NEW = ['/run/flux', '/var/run/flux', '/tmp', '/tmp/a/b', '/mnt', '/mnt/flux']

for (const folder of NEW) {
  test(`placeSocket makes a volume at ${folder}`, () => {
    const path = `${folder}/local`
    assert.deepEqual(placeSocket(podWith([]), path), { kind: 'new', path, folder })
  })
}

/** Folders of which an image may have files, or in which the sidecar or the kernel has its own. */
const NEVER_NEW = [
  '/usr/bin',
  '/bin',
  '/etc',
  '/usr',
  '/opt/flux',
  '/home/flux',
  '/root',
  '/var/lib/flux',
  '/runs',
  '/temporary',
  '/run',
  '/var/run',
  '/run/secrets/x',
  '/var/run/flux-metrics/identity',
  '/proc/1',
  '/sys/x',
  '/dev/shm',
]

for (const folder of NEVER_NEW) {
  test(`placeSocket makes no volume at ${folder}`, () => {
    const reason = `Mount a volume at the socket's folder, or move the socket below /run, /tmp or /mnt: a new volume at ${folder} could hide files`
    assert.deepEqual(placeSocket(podWith([]), `${folder}/local`), unreachable(reason))
  })
}

test('the cure in a reason survives the cut of a warning to 200 characters', () => {
  const folder = (root: string) => `${root}/${'x'.repeat(99 - root.length)}`
  const mounted = podWith([{ name: 'a', mountPath: '/mnt', readOnly: true }])
  const nonRoot = leadPod({ spec: { securityContext: { runAsUser: 1 } } })
  const cases = [
    [podWith([]), `${folder('/usr')}/local`, 'move the socket below'],
    [nonRoot, `${folder('/run')}/local`, 'Mount a volume at'],
    [mounted, `${folder('/mnt')}/local`, 'Mount a writable volume'],
    [podWith([]), `${'/x'.repeat(80)}/local`, 'Check length'],
  ] as const
  for (const [pod, path, cure] of cases) {
    const place = placeSocket(pod, path)
    assert.equal(place.kind, 'unreachable')
    assert.ok(place.kind === 'unreachable' && place.reason.slice(0, 180).includes(cure), path)
  }
})
