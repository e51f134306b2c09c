import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ownVolumes,
  userMounts,
  userVolumes,
} from '../../../../webhook/cli/controllers/operator-volumes.ts'
import { minicluster } from '../sources.ts'

function containersWith(...volumes: readonly object[]) {
  const containers = volumes.map((given, index) => ({ name: `${index}`, volumes: given }))
  return minicluster({ containers }).spec.containers
}

test('ownVolumes has a script for each container that a script starts', () => {
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
  test(`userVolumes makes a volume from ${JSON.stringify(volume)}`, () => {
    assert.deepEqual(userVolumes(containersWith({ v: volume })), [{ name: 'v', ...expected }])
  })
}

test('userVolumes names the volume of a ConfigMap after the ConfigMap, like the operator', () => {
  const volume = { configMapName: 'map', items: { key: 'path' } }
  assert.deepEqual(userVolumes(containersWith({ v: volume })), [
    { name: 'map', configMap: { name: 'map', items: [{ key: 'key', path: 'path' }] } },
  ])
})

test('a volume of two containers is listed once, and mounted as the first container mounts it', () => {
  const containers = containersWith(
    { v: { path: '/a', readOnly: true, hostPath: '/first' } },
    { v: { path: '/b', hostPath: '/second' }, shm: { emptyDir: true, path: '/ignored' } },
  )
  assert.deepEqual(userVolumes(containers), [
    { name: 'v', hostPath: { path: '/second', type: 'Directory' } },
    { name: 'shm', emptyDir: {} },
  ])
  assert.deepEqual(userMounts(containers), [
    { name: 'v', mountPath: '/a', readOnly: true },
    { name: 'shm', mountPath: '/dev/shm' },
  ])
  assert.deepEqual(userMounts(containers.slice(0, 1)), [
    { name: 'v', mountPath: '/a', readOnly: true },
  ])
})
