import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Candidate } from '../../../../webhook/admission/decision.ts'
import { findMiniCluster } from '../../../../webhook/admission/look-ups/owners.ts'
import type { NewObject } from '../../../../webhook/kubernetes/cluster.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { JOB_OWNER, job, MINICLUSTER_OWNER, miniCluster, OBJECTS } from '../../support-objects.ts'

const CANDIDATE: Candidate = { kind: 'candidate', job: JOB_OWNER }
const JOB = { apiVersion: 'batch/v1', kind: 'Job' } as const
const MINICLUSTER = { apiVersion: 'flux-framework.org/v1alpha2', kind: 'MiniCluster' } as const

async function nameOfFound(objects: readonly NewObject[], namespace = 'default') {
  const found = await findMiniCluster(new MemoryCluster(objects), CANDIDATE, namespace)
  return found?.metadata.name
}

test('findMiniCluster follows the owner references from the pod to its Job and on', async () => {
  const cluster = new MemoryCluster(OBJECTS)
  const found = await findMiniCluster(cluster, CANDIDATE, 'default')
  const { metadata, ...rest } = miniCluster()
  assert.deepEqual(found, { ...rest, metadata: { ...metadata, resourceVersion: '2' } })
  assert.deepEqual(cluster.calls, [
    { verb: 'get', ...JOB, name: 'flux-sample', namespace: 'default' },
    { verb: 'get', ...MINICLUSTER, name: 'flux-sample', namespace: 'default' },
  ])
})

test('findMiniCluster reads no more of a Job than its metadata: a user chooses how long the rest is', async () => {
  const cluster = new MemoryCluster(OBJECTS)
  const { read } = cluster
  const wanted: unknown[] = []
  cluster.read = async (reference) => {
    wanted.push([reference.kind, reference.metadataOnly])
    return read.call(cluster, reference)
  }
  assert.ok(await findMiniCluster(cluster, CANDIDATE, 'default'))
  assert.deepEqual(wanted, [
    ['Job', true],
    ['MiniCluster', undefined],
  ])
})

test('findMiniCluster asks for the version that the Job names', async () => {
  const apiVersion = 'flux-framework.org/v1alpha1'
  const owner = { ...MINICLUSTER_OWNER, apiVersion }
  const objects = [job({ ownerReferences: [owner] }), { ...miniCluster(), apiVersion }]
  assert.equal(await nameOfFound(objects), 'flux-sample')
})

const STRANGERS: readonly (readonly [what: string, objects: readonly NewObject[]])[] = [
  ['a Job that was deleted', [miniCluster()]],
  ['a Job that was created again with the same name', [job({ uid: 'other' }), miniCluster()]],
  ['a Job without owner', [job({ ownerReferences: [] }), miniCluster()]],
  ['a Job that another Job controls', [job({ ownerReferences: [JOB_OWNER] }), miniCluster()]],
  [
    'a MiniCluster that does not control the Job',
    [job({ ownerReferences: [{ ...MINICLUSTER_OWNER, controller: false }] }), miniCluster()],
  ],
  ['a MiniCluster that was deleted', [job()]],
  [
    'a MiniCluster that was created again with the same name',
    [job({ ownerReferences: [{ ...MINICLUSTER_OWNER, uid: 'other' }] }), miniCluster()],
  ],
]

for (const [what, objects] of STRANGERS) {
  test(`findMiniCluster finds none for ${what}`, async () => {
    assert.equal(await nameOfFound(objects), undefined)
  })
}

test('findMiniCluster finds none for a Job beside the one of the brokers, which has the name of the MiniCluster', async () => {
  const objects = [job({ name: 'post-processing' }), miniCluster()]
  const candidate: Candidate = {
    kind: 'candidate',
    job: { ...JOB_OWNER, name: 'post-processing' },
  }
  const cluster = new MemoryCluster(objects)
  assert.equal(await findMiniCluster(cluster, candidate, 'default'), undefined)
})

test('findMiniCluster stays in the namespace of the pod', async () => {
  assert.equal(await nameOfFound(OBJECTS, 'elsewhere'), undefined)
})
