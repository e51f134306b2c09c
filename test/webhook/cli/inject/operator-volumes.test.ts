import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  givenVolumes,
  mountsOf,
  ownVolumes,
} from '../../../../webhook/cli/inject/operator-volumes.ts'
import { minicluster } from '../sources.ts'

function containersWith(...volumes: readonly object[]) {
  const containers = volumes.map((given, index) => ({ name: `${index}`, volumes: given }))
  return minicluster({ containers }).spec.containers
}

test('ownVolumes has a script for each container that is started by one', () => {
  const containers = [
    { name: 'a' },
    { name: 'b', noWrapEntrypoint: true },
    { name: 'c', runFlux: true },
  ]
  const flux = { container: { name: 'view' } }
  const volumes = ownVolumes('flux-sample', minicluster({ containers, flux }).spec)
  assert.deepEqual(
    volumes.map(({ name }) => name),
    ['spack-software', 'flux-operator-home', 'view', 'flux-sample-entrypoint'],
  )
  assert.deepEqual(volumes.at(-1)?.configMap, {
    name: 'flux-sample-entrypoint',
    items: [
      { key: 'start-0', path: 'start-0.sh', mode: 0o777 },
      { key: 'wait-2', path: 'wait-2.sh', mode: 0o777 },
      { key: 'view', path: 'flux-init.sh', mode: 0o777 },
      { key: 'curve.cert', path: 'curve.cert' },
    ],
  })
})

for (const [volume, expected] of [
  [
    { csiDriver: 'csi', csiDriverAttributes: { a: 'b' } },
    { csi: { driver: 'csi', volumeAttributes: { a: 'b' } } },
  ],
  [{ secretName: 's' }, { secret: { secretName: 's' } }],
  [{ emptyDir: true }, { emptyDir: {} }],
  [
    { emptyDir: true, emptyDirMedium: 'memory', emptyDirSizeLimit: '1Gi' },
    { emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } },
  ],
  [{ hostPath: '/h', path: '/p' }, { hostPath: { path: '/h', type: 'Directory' } }],
  [{ claimName: 'c', path: '/p' }, { persistentVolumeClaim: { claimName: 'c' } }],
] as const) {
  test(`givenVolumes makes a volume of ${JSON.stringify(volume)}`, () => {
    assert.deepEqual(givenVolumes(containersWith({ v: volume })), [{ name: 'v', ...expected }])
  })
}

test('givenVolumes names the volume of a ConfigMap after it, as the operator does', () => {
  const volume = { configMapName: 'map', items: { key: 'path' } }
  assert.deepEqual(givenVolumes(containersWith({ v: volume })), [
    { name: 'map', configMap: { name: 'map', items: [{ key: 'key', path: 'path' }] } },
  ])
})

test('a volume of two containers is there once, and mounted the first way', () => {
  const containers = containersWith(
    { v: { path: '/a', readOnly: true, hostPath: '/first' } },
    { v: { path: '/b', hostPath: '/second' }, shm: { emptyDir: true, path: '/ignored' } },
  )
  assert.deepEqual(givenVolumes(containers), [
    { name: 'v', hostPath: { path: '/second', type: 'Directory' } },
    { name: 'shm', emptyDir: {} },
  ])
  assert.deepEqual(mountsOf(containers), [
    { name: 'v', mountPath: '/a', readOnly: true },
    { name: 'shm', mountPath: '/dev/shm' },
  ])
  assert.deepEqual(mountsOf(containers.slice(0, 1)), [
    { name: 'v', mountPath: '/a', readOnly: true },
  ])
})
