import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LookUps } from '../../../../webhook/admission/look-ups/look-ups.ts'
import { readPolicies } from '../../../../webhook/admission/look-ups/policies.ts'
import {
  ClusterError,
  type Collection,
  type ListOptions,
  type NewObject,
} from '../../../../webhook/kubernetes/cluster.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { createReviewer } from '../../support-admission.ts'
import { JOB_OWNER, job, leadPod, miniCluster, OBJECTS, podReview } from '../../support-objects.ts'

function limitRange(name: string, limits: unknown = []): NewObject {
  const metadata = { name, namespace: 'default' }
  return { apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits } }
}

test('readPolicies reads both kinds of the namespace', async () => {
  const quota = { ...limitRange('team'), kind: 'ResourceQuota', spec: { hard: { pods: '1' } } }
  const elsewhere = { ...limitRange('b'), metadata: { name: 'b', namespace: 'elsewhere' } }
  const cluster = new MemoryCluster([limitRange('a'), elsewhere, quota])
  const { limitRanges, quotas } = await readPolicies(cluster, 'default')
  const names = [limitRanges, quotas].map((all) => all.map(({ metadata }) => metadata.name))
  assert.deepEqual(names, [['a'], ['team']])
})

test('readPolicies refuses more policies than can be compared with a pod in no time', async () => {
  const tooMany = /Too many LimitRanges or ResourceQuotas in namespace "default"/
  const objects = Array.from({ length: 101 }, (_, index) => limitRange(`l${index}`))
  await assert.rejects(readPolicies(new MemoryCluster(objects), 'default'), tooMany)
  const max = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`a/${index}`, '1']))
  const large = new MemoryCluster([limitRange('large', [{ type: 'Container', max }])])
  await assert.rejects(readPolicies(large, 'default'), tooMany)
})

test('readPolicies asks for no more than 100 objects and a mebibyte of each kind', async () => {
  const cluster = new MemoryCluster()
  const asked: unknown[] = []
  const list = async ({ kind }: Collection, options: ListOptions) => {
    asked.push([kind, options])
    return cluster.list({ apiVersion: 'v1', kind }, options)
  }
  await readPolicies({ list }, 'default')
  const bounds = { limit: 100, maxBytes: 1_048_576 }
  assert.deepEqual(asked, [
    ['LimitRange', bounds],
    ['ResourceQuota', bounds],
  ])
})

test('readPolicies takes as many entries as can be compared, with those of a status', async () => {
  const withEntries = (count: number) => {
    const max = Object.fromEntries(Array.from({ length: count }, (_, index) => [`a/${index}`, '1']))
    return { ...limitRange('large', [{ type: 'Container', max }]), status: {} }
  }
  // The type is an entry too.
  const { limitRanges } = await readPolicies(new MemoryCluster([withEntries(999)]), 'default')
  assert.equal(limitRanges.length, 1)
  await assert.rejects(readPolicies(new MemoryCluster([withEntries(1_000)]), 'default'), /Too many/)
  const full = { ...withEntries(999), status: { used: '1' } }
  await assert.rejects(readPolicies(new MemoryCluster([full]), 'default'), /Too many/)
})

test('a pod is left alone if the policies of its namespace cannot be read, and its user is told', async () => {
  const cluster = new MemoryCluster(OBJECTS)
  const message = 'The API server answered 403: limitranges is forbidden'
  cluster.list = async () => {
    throw new ClusterError(403, message)
  }
  const { review, lines } = createReviewer({ cluster })
  const { patch, warnings } = await review(podReview(leadPod()))
  assert.deepEqual([patch, lines[0]?.reason], [[], 'LookUpFailed'])
  assert.match(warnings.join(), /limitranges is forbidden/)
})

test('policies are read again after an error that passes', async () => {
  const cluster = new MemoryCluster([...OBJECTS, limitRange('a')])
  let failures = 2
  const list = cluster.list.bind(cluster)
  cluster.list = async (collection: Collection, options: ListOptions) => {
    failures -= 1
    if (failures >= 0) throw new ClusterError(503, 'no')
    return list(collection, options)
  }
  const lookUps = new LookUps({ cluster, readVersion: async () => ({ major: 1, minor: 37 }) })
  const { policies } = await lookUps.gather({ kind: 'candidate', job: JOB_OWNER }, 'default')
  assert.deepEqual(
    policies.limitRanges.map(({ metadata }) => metadata.name),
    ['a'],
  )
})

test('owners and policies are read again for the next pod', async () => {
  const cluster = new MemoryCluster(OBJECTS)
  const lookUps = new LookUps({ cluster, readVersion: async () => ({ major: 1, minor: 37 }) })
  const gather = () => lookUps.gather({ kind: 'candidate', job: JOB_OWNER }, 'default')
  const before = await gather()
  assert.deepEqual(before.policies.limitRanges, [])
  cluster.put(limitRange('new'))
  cluster.put(miniCluster({ annotations: { 'flux-metrics/enabled': 'true', more: 'yes' } }))
  const { minicluster, policies } = await gather()
  assert.equal(minicluster?.metadata.annotations?.more, 'yes')
  assert.equal(policies.limitRanges.length, 1)
})

test('policies that cannot be read are asked for four times', async () => {
  const cluster = new MemoryCluster(OBJECTS)
  let asked = 0
  cluster.list = async ({ kind }: Collection) => {
    asked += kind === 'LimitRange' ? 1 : 0
    throw new ClusterError(503, 'no')
  }
  const lookUps = new LookUps({ cluster, readVersion: async () => ({ major: 1, minor: 37 }) })
  const gathered = lookUps.gather({ kind: 'candidate', job: JOB_OWNER }, 'default')
  await assert.rejects(gathered, { code: 503 })
  assert.equal(asked, 4)
})

const LISTED: readonly (readonly [
  what: string,
  metrics: string | undefined,
  pod: boolean | undefined,
  lists: number,
])[] = [
  ['a MiniCluster with metrics', 'true', undefined, 2],
  ['a MiniCluster without metrics', undefined, undefined, 0],
  ['a pod that wants none', 'true', false, 0],
  ['a pod that wants them alone', undefined, true, 2],
]

for (const [what, metrics, enabled, lists] of LISTED) {
  test(`policies are listed ${lists} times for ${what}`, async () => {
    const annotations = metrics === undefined ? {} : { 'flux-metrics/enabled': metrics }
    const cluster = new MemoryCluster([job(), miniCluster({ annotations })])
    const lookUps = new LookUps({ cluster, readVersion: async () => ({ major: 1, minor: 37 }) })
    const wish = enabled === undefined ? {} : { enabled }
    await lookUps.gather({ kind: 'candidate', job: JOB_OWNER, ...wish }, 'default')
    assert.equal(cluster.calls.filter(({ verb }) => verb === 'list').length, lists)
  })
}
