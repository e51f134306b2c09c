import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  hasNoSocket,
  isJob,
  isRunning,
  miniClusterOf,
  socketOf,
  toJob,
  toMiniCluster,
  toNewMiniCluster,
} from '../../../webhook/objects/minicluster.ts'
import { JOB_OWNER, job, MINICLUSTER_OWNER, miniCluster, RUNNING } from '../support-objects.ts'

const V1ALPHA1 = { ...MINICLUSTER_OWNER, apiVersion: 'flux-framework.org/v1alpha1' }

for (const owner of [MINICLUSTER_OWNER, V1ALPHA1]) {
  test(`miniClusterOf finds a MiniCluster of ${owner.apiVersion}`, () => {
    assert.deepEqual(miniClusterOf({ ownerReferences: [owner] }), owner)
  })
}

const OTHERS: readonly (readonly [string, object])[] = [
  ['another kind', { kind: 'Cluster' }],
  ['another group', { apiVersion: 'example.com/v1' }],
  ['a group that begins the same', { apiVersion: 'flux-framework.org.example/v1' }],
  ['an owner that does not control', { controller: false }],
]

for (const [what, changes] of OTHERS) {
  test(`miniClusterOf does not take ${what} for a MiniCluster`, () => {
    const owner = { ...MINICLUSTER_OWNER, ...changes }
    assert.equal(miniClusterOf({ ownerReferences: [owner] }), undefined)
  })
}

test('isJob knows Jobs by group and kind', () => {
  const owners = [JOB_OWNER, { ...JOB_OWNER, apiVersion: 'batch.example/v1' }, MINICLUSTER_OWNER]
  assert.deepEqual(owners.map(isJob), [true, false, false])
})

test('toJob accepts only an object with a UID', () => {
  const found = job()
  const { uid: _uid, ...metadata } = found.metadata
  assert.deepEqual([found, { ...found, metadata }, undefined].map(toJob), [
    found,
    undefined,
    undefined,
  ])
})

test('toMiniCluster returns all fields of a MiniCluster', () => {
  const object = miniCluster({ spec: { size: 2, flux: null, pod: { annotations: null } } })
  assert.deepEqual(toMiniCluster(object), object)
})

test('toMiniCluster accepts a MiniCluster without spec', () => {
  const { spec: _spec, ...object } = miniCluster()
  assert.deepEqual(toMiniCluster(object), object)
})

const NO_MINICLUSTERS: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['one without name', { ...miniCluster(), metadata: {} }],
  [
    'one whose annotations are numbers',
    { ...miniCluster(), metadata: { name: 'a', annotations: { a: 1 } } },
  ],
  ['one whose spec is a string', { ...miniCluster(), spec: 'size: 2' }],
]

for (const [what, object] of NO_MINICLUSTERS) {
  test(`toMiniCluster does not accept ${what}`, () => {
    assert.equal(toMiniCluster(object), undefined)
  })
}

/** Values of another type than today's, for every field that is read. */
const ODD_SPECS: readonly object[] = [
  { size: '2', maxSize: { ranks: 4 }, pod: 'none', containers: { name: 'a' }, flux: [] },
  { pod: { annotations: ['a'] }, containers: [1, { environment: [], runFlux: 'yes' }] },
  { flux: { container: 'view', disableSocket: 'no', scheduler: 'fluxion', bursting: true } },
  { flux: { container: { mountPath: 1 }, scheduler: { simple: 1, queuePolicy: [] } } },
  { flux: { brokerConfig: {}, bursting: { leadBroker: 'a', hostlist: ['a'], clusters: 'b' } } },
]

for (const spec of ODD_SPECS) {
  test(`toMiniCluster does without fields of another type: ${JSON.stringify(spec)}`, () => {
    const object = { ...miniCluster(), spec, status: 'odd' }
    const minicluster = toMiniCluster(object)
    assert.equal(minicluster?.metadata.name, 'flux-sample')
    assert.equal(socketOf(minicluster), '/mnt/flux/config/run/flux/local')
    assert.deepEqual([hasNoSocket(minicluster), isRunning(minicluster)], [false, false])
  })
}

test('toNewMiniCluster shows that a name will be made of generateName', () => {
  const { metadata, ...rest } = miniCluster()
  const { name: _name, ...unnamed } = metadata
  const object = { ...rest, metadata: { ...unnamed, generateName: 'lammps-' } }
  assert.equal(toNewMiniCluster(object)?.metadata.name, 'lammps-*')
  assert.equal(toMiniCluster(object), undefined)
  assert.equal(toNewMiniCluster(miniCluster())?.metadata.name, 'flux-sample')
})

test('isRunning is false before the operator has begun, and after the jobs', () => {
  const finished = { conditions: [{ type: 'JobFinished', status: 'True' }] }
  const running = [
    miniCluster(),
    { ...miniCluster(), ...RUNNING },
    { ...miniCluster(), status: finished },
  ]
  assert.deepEqual(running.map(isRunning), [false, true, false])
})

test('socketOf takes a path of a million slashes in no time', () => {
  const mountPath = `${'/'.repeat(1_000_000)}x`
  const { length } = socketOf(miniCluster({ spec: { flux: { container: { mountPath } } } }))
  assert.equal(length, 1_000_001 + '/config/run/flux/local'.length)
})

/** Values of `mountPath`, and the path of the socket. */
const SOCKETS: readonly (readonly [mountPath: string | null | undefined, socket: string])[] = [
  [undefined, '/mnt/flux/config/run/flux/local'],
  [null, '/mnt/flux/config/run/flux/local'],
  ['/opt/view', '/opt/view/config/run/flux/local'],
  ['/opt/view//', '/opt/view/config/run/flux/local'],
  ['/', '/config/run/flux/local'],
]

for (const [mountPath, socket] of SOCKETS) {
  test(`socketOf finds ${socket} where mountPath is ${mountPath}`, () => {
    assert.equal(socketOf(miniCluster({ spec: { flux: { container: { mountPath } } } })), socket)
  })
}

test('socketOf finds the default path where the MiniCluster has no mountPath', () => {
  assert.equal(socketOf(miniCluster()), '/mnt/flux/config/run/flux/local')
})

test('socketOf finds the path of the operators of v1alpha1, who know no mountPath', () => {
  const { apiVersion } = V1ALPHA1
  for (const spec of [{}, { flux: { container: { mountPath: '/elsewhere' } } }]) {
    assert.equal(socketOf({ ...miniCluster({ spec }), apiVersion }), '/run/flux/local')
  }
})

test('hasNoSocket is true only where disableSocket is true', () => {
  const specs = [{ flux: { disableSocket: true } }, { flux: { disableSocket: false } }, {}, null]
  assert.deepEqual(
    specs.map((spec) => hasNoSocket(miniCluster({ spec }))),
    [true, false, false, false],
  )
})
