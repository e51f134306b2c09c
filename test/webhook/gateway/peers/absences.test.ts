import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Absences } from '../../../../webhook/gateway/peers/absences.ts'
import { ClusterError, type NewObject } from '../../../../webhook/kubernetes/cluster.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { leadPod, miniCluster, RUNNING } from '../../support-objects.ts'

const NAME = { namespace: 'default', minicluster: 'flux-sample' } as const
const SOON = () => performance.now() + 1_000

function pod(changes: Parameters<typeof leadPod>[0] = {}): NewObject {
  const { metadata, spec, status } = leadPod(changes)
  const labels = { ...metadata.labels, 'job-name': 'flux-sample' }
  const named = { name: 'flux-sample-0-abcde', namespace: 'default', uid: 'uid-of-pod' }
  const json = JSON.parse(
    JSON.stringify({ metadata: { ...metadata, ...named, labels }, spec, status }),
  )
  return { apiVersion: 'v1', kind: 'Pod', ...json }
}

async function why(objects: readonly NewObject[], name = NAME) {
  const cluster = new MemoryCluster(objects)
  const { code, message } = await new Absences(cluster).whyAbsent(name, SOON())
  return [code, message]
}

const ANNOTATED = miniCluster()
const PLAIN = miniCluster({ annotations: {} })

test('a MiniCluster that does not exist', async () => {
  assert.deepEqual(await why([]), [404, 'MiniCluster default/flux-sample is not there'])
})

test('a MiniCluster without the annotation, and without a pod', async () => {
  const [code, message] = await why([PLAIN])
  assert.equal(code, 404)
  assert.equal(
    message,
    'MiniCluster default/flux-sample has no metrics: annotation flux-metrics/enabled is not "true". To enable ' +
      'them before its pods are created: kubectl annotate minicluster -n default flux-sample flux-metrics/enabled=true',
  )
})

test('a MiniCluster that has no pod yet, or no more', async () => {
  assert.deepEqual(await why([ANNOTATED]), [
    503,
    'MiniCluster default/flux-sample has no pod of its lead broker yet',
  ])
  assert.deepEqual(await why([{ ...ANNOTATED, ...RUNNING }]), [
    503,
    'MiniCluster default/flux-sample has no pod of its lead broker yet',
  ])
  const conditions = [{ type: 'JobFinished', status: 'True' }]
  assert.deepEqual(await why([{ ...ANNOTATED, status: { conditions } }]), [
    503,
    'MiniCluster default/flux-sample has no lead broker any more: its Job has ended',
  ])
  const metadata = { ...ANNOTATED.metadata, deletionTimestamp: '2026-11-29T06:00:00Z' }
  assert.deepEqual(await why([{ ...ANNOTATED, metadata }]), [
    503,
    'MiniCluster default/flux-sample is being deleted',
  ])
})

test('a pod that is not injected, with the reason', async () => {
  const what =
    'MiniCluster default/flux-sample: no sidecar: pod flux-sample-0-abcde is not injected'
  assert.deepEqual(await why([PLAIN, pod()]), [
    404,
    `${what} (NotEnabled): Annotation flux-metrics/enabled is not set on the pod or the MiniCluster`,
  ])
  const spec = { flux: { disableSocket: true } }
  assert.deepEqual(await why([miniCluster({ spec }), pod()]), [
    404,
    `${what} (SocketDisabled): The broker has no socket: set spec.flux.disableSocket of the MiniCluster to false`,
  ])
  assert.deepEqual(await why([ANNOTATED, pod()]), [
    404,
    `${what}: it was created before flux-metrics/enabled was set, or the webhook left it out; an Event of the ` +
      'MiniCluster says why: kubectl describe minicluster -n default flux-sample',
  ])
})

test('a pod with a sidecar that the watch has not shown yet', async () => {
  const metadata = { ...leadPod().metadata, annotations: { 'flux-metrics/injected': '1' } }
  const index = { 'batch.kubernetes.io/job-completion-index': '0' }
  const annotations = { ...metadata.annotations, ...index }
  assert.deepEqual(await why([ANNOTATED, pod({ metadata: { ...metadata, annotations } })]), [
    503,
    'MiniCluster default/flux-sample: pod flux-sample-0-abcde with its sidecar has not been seen by the gateway yet',
  ])
})

test('an API server that cannot be asked', async () => {
  const cluster = new MemoryCluster()
  cluster.failWith(new ClusterError(0, 'Cannot reach the API server: no'))
  const { code, message } = await new Absences(cluster).whyAbsent(NAME, SOON())
  assert.equal(code, 503)
  assert.equal(
    message,
    'No sidecar of MiniCluster default/flux-sample is known, and the API server cannot be asked why: ' +
      'Cannot reach the API server: no',
  )
})

test('a slow API server holds nobody up after the deadline', async () => {
  const never = () => new Promise<never>(() => {})
  const absences = new Absences({ read: never, list: never })
  const { code, message } = await absences.whyAbsent(NAME, performance.now() + 50)
  assert.equal(code, 503)
  assert.match(message, /it did not answer in time/)
})

test('names that no object can have are not asked for', async () => {
  const cluster = new MemoryCluster()
  const absences = new Absences(cluster)
  for (const minicluster of ['../secrets', 'A', 'x?watch=1', '', 'é', 'a'.repeat(100_000)]) {
    const { code, message } = await absences.whyAbsent({ ...NAME, minicluster }, SOON())
    assert.equal(code, 404)
    assert.ok(message.length < 300)
  }
  assert.equal(cluster.calls.length, 0)
})

test('who asks at one time, or soon again, causes one look-up', async () => {
  const cluster = new MemoryCluster()
  const absences = new Absences(cluster)
  await Promise.all(Array.from({ length: 50 }, () => absences.whyAbsent(NAME, SOON())))
  await absences.whyAbsent(NAME, SOON())
  assert.equal(cluster.calls.length, 1)
})

test('many names cause few calls, and one namespace leaves the others theirs', async () => {
  const cluster = new MemoryCluster()
  const absences = new Absences(cluster)
  const ask = (namespace: string, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, at) =>
        absences.whyAbsent({ namespace, minicluster: `m${at}` }, SOON()),
      ),
    )
  const answers = await ask('greedy', 1_000)
  const refused = answers.filter(({ code }) => code === 503)
  assert.ok(refused.length >= 970, `${refused.length}`)
  assert.match(refused[0]?.message ?? '', /too many questions/)
  assert.ok(cluster.calls.length <= 30, `${cluster.calls.length}`)
  const [other] = await ask('modest', 1)
  assert.equal(other?.code, 404)
})

test('what users write into their objects is quoted without control characters', async () => {
  const { spec, ...rest } = ANNOTATED
  const flux = { container: { mountPath: '/x\u001b[2J\n\u202e' } }
  const [code, message] = await why([{ ...rest, spec: { ...Object(spec), flux } }, pod()])
  assert.equal(code, 404)
  assert.match(String(message), /"\/x\\u\{1b\}\[2J\\u\{a\}\\u\{202e\}\/config/)
})

test('pods that are too large for a sentence are not read', async () => {
  const cluster = new MemoryCluster([ANNOTATED])
  const bounds: unknown[] = []
  const list: MemoryCluster['list'] = async (_, { maxBytes }) => {
    bounds.push(maxBytes)
    return { items: [], continue: undefined }
  }
  const read = (reference: Parameters<MemoryCluster['read']>[0]) => cluster.read(reference)
  await new Absences({ read, list }).whyAbsent(NAME, SOON())
  assert.deepEqual(bounds, [512 * 2 ** 10])
})
