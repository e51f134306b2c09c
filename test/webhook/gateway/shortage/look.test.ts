// What follows from the pods and Events of a MiniCluster, as the API server has them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookAt } from '../../../../webhook/gateway/shortage/look.ts'
import { explainShortage, sentencesOf } from '../../../../webhook/gateway/shortage/words.ts'
import {
  type Cluster,
  ClusterError,
  type NewObject,
} from '../../../../webhook/kubernetes/cluster.ts'
import { AnswerTooLong } from '../../../../webhook/kubernetes/connection/api-connection.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { cluster, JOB, NAME, onPod, QUOTA, refused, running, unscheduled } from './pods.ts'

const TARGET = { ...NAME, job: JOB }

async function look(objects: readonly NewObject[], size = 6) {
  const shortage = await lookAt(new MemoryCluster([cluster(size), ...objects]), TARGET)
  return { ...shortage, sentences: sentencesOf(shortage) }
}

const FOUR = [0, 1, 2, 3].map((rank) => running(rank))

test('a MiniCluster whose pods are all on nodes is short of nothing', async () => {
  const { unavailable, groups, sentences } = await look([...FOUR, running(4), running(5)])
  assert.deepEqual([unavailable, groups, sentences], [0, [], []])
})

test('pods that fit on no node are unavailable after a minute, with the words of the scheduler', async () => {
  const { unavailable, sentences } = await look([
    ...FOUR,
    unscheduled(4, { age: 240 }),
    unscheduled(5, { age: 30 }),
  ])
  assert.equal(unavailable, 1)
  assert.deepEqual(sentences, [
    'ranks 4-5 are not there: their pods are Pending for 4 min: Insufficient cpu',
  ])
})

test('what a node autoscaler says of a pod is added, the last word alone', async () => {
  const karpenter = { component: 'karpenter', reason: 'FailedScheduling' }
  const pool = 'all available instance types exceed limits for nodepool (NodePool=default)'
  const { sentences } = await look([
    ...FOUR,
    unscheduled(4),
    unscheduled(5),
    onPod(4, { component: 'karpenter', reason: 'Nominated', message: 'a', last: 200 }),
    onPod(4, { ...karpenter, message: `Failed to schedule pod, ${pool}`, last: 10 }),
    onPod(4, { component: 'default-scheduler', reason: 'FailedScheduling', message: 'b', last: 1 }),
  ])
  assert.deepEqual(sentences, [
    'ranks 4-5 are not there: their pods are Pending for 10 min: Insufficient cpu; NodePool default: the limits are reached (karpenter)',
  ])
})

test('pods with different causes are told apart, the most frequent cause first', async () => {
  const { unavailable, sentences } = await look([
    running(0),
    unscheduled(1, { message: '0/1 nodes are available: 1 Too many pods.' }),
    ...[2, 3, 4].map((rank) => unscheduled(rank)),
    unscheduled(5, { status: { conditions: [gated()] } }),
  ])
  assert.equal(unavailable, 5)
  assert.deepEqual(sentences, [
    'ranks 2-4 are not there: their pods are Pending for 10 min: Insufficient cpu',
    'rank 1 is not there: its pod is Pending for 10 min: Too many pods',
    'rank 5 is not there: its pod is Pending for 10 min: it has scheduling gates',
  ])
})

function gated() {
  const message = 'Scheduling is blocked due to non-empty scheduling gates'
  return { type: 'PodScheduled', status: 'False', reason: 'SchedulingGated', message }
}

test('pods that a quota refuses are unavailable since they were refused for the first time', async () => {
  const { unavailable, sentences } = await look([...FOUR, refused({ first: 240, last: 20 })])
  assert.equal(unavailable, 2)
  assert.deepEqual(sentences, [
    'ranks 4-5 are not there: their pods cannot be created for 4 min: quota compute is exceeded ' +
      '(requested: requests.cpu=1, used: requests.cpu=4, limited: requests.cpu=4)',
  ])
  assert.equal((await look([...FOUR, refused({ first: 40, last: 20 })])).unavailable, 0)
})

test('a refusal is over when a pod was created since, or when it was not repeated', async () => {
  const missing = 'ranks 4-5 are not there: their pods have not been created yet'
  for (const objects of [
    [],
    [refused({ first: 900, last: 400 })],
    [refused({ first: 800, last: 700 })],
    [refused({}, 'uid-of-another-job')],
    [refused({ reason: 'SuccessfulCreate' })],
  ]) {
    const { unavailable, sentences } = await look([...FOUR, ...objects])
    assert.deepEqual([unavailable, sentences], [0, [missing]])
  }
  const later = [...FOUR, running(4, { age: 90 }), refused({ first: 500, last: 10 })]
  const { unavailable, groups } = await look(later)
  assert.equal(unavailable, 1)
  const [group] = groups
  assert.ok(Math.abs(Date.now() - (group?.since ?? 0) - 90_000) < 2_000, 'since the last creation')
})

test('pods on nodes that cannot start are told, and are not unavailable', async () => {
  const waiting = { reason: 'ImagePullBackOff', message: 'Back-off pulling image "a"' }
  const status = { phase: 'Pending', containerStatuses: [{ state: { waiting } }] }
  const starting = {
    phase: 'Pending',
    containerStatuses: [{ state: { waiting: { reason: 'PodInitializing' } } }],
  }
  const { unavailable, sentences } = await look([
    ...FOUR,
    running(4, { status }),
    running(5, { status: starting }),
  ])
  assert.equal(unavailable, 0)
  assert.deepEqual(sentences, [
    'rank 4 does not start: its pod is on a node: ImagePullBackOff: Back-off pulling image "a"',
  ])
})

test('a pod that failed or is being deleted is not there; one that ended is', async () => {
  const going = running(4, { metadata: {} })
  const deleted = {
    ...going,
    metadata: { ...going.metadata, deletionTimestamp: '2026-11-29T06:00:00Z' },
  }
  const failed = running(5, { status: { phase: 'Failed' } })
  const { sentences } = await look([...FOUR, deleted, failed])
  assert.deepEqual(sentences, ['ranks 4-5 are not there: their pods have not been created yet'])
  const ended = [4, 5].map((rank) => running(rank, { status: { phase: 'Succeeded' } }))
  assert.deepEqual((await look([...FOUR, ...ended])).sentences, [])
  const again = { ...unscheduled(5), metadata: { ...unscheduled(5).metadata, name: 'b', uid: 'b' } }
  assert.equal((await look([...FOUR, running(4), failed, again])).unavailable, 1)
})

test('ranks beyond the size are not wanted', async () => {
  const { unavailable, sentences } = await look([...FOUR, unscheduled(4), unscheduled(5)], 4)
  assert.deepEqual([unavailable, sentences], [0, []])
})

test('pods beyond the size hide no rank that is refused', async () => {
  const { unavailable } = await look([...FOUR.slice(0, 3), running(7), refused()], 4)
  assert.equal(unavailable, 1)
})

test('pods with copied labels count for nothing', async () => {
  const foreign = [
    running(4, { job: 'uid-of-another-job' }),
    running('05', {}),
    running('-1', {}),
    running('99999999999', {}),
  ].map((pod, index) => ({
    ...pod,
    metadata: { ...pod.metadata, name: `x${index}`, uid: `x${index}` },
  }))
  const { unavailable } = await look([...FOUR, ...foreign, unscheduled(5), refused()])
  assert.equal(unavailable, 2)
})

test('fields of another type hide nothing of the others', async () => {
  const odd = [
    { ...unscheduled(4), status: { phase: 'Pending', conditions: 'a' } },
    { ...unscheduled(5), spec: { nodeName: '' }, status: { phase: 'Pending' } },
  ]
  const { unavailable, sentences } = await look([...FOUR, ...odd])
  assert.equal(unavailable, 2)
  assert.equal(sentences.length, 1)
})

test('ten thousand pods without a node are counted exactly', { timeout: 60_000 }, async () => {
  const pods = Array.from({ length: 10_000 }, (_, rank) => unscheduled(rank))
  const { unavailable, sentences } = await look(pods, 10_000)
  assert.equal(unavailable, 10_000)
  assert.deepEqual(sentences, [
    'ranks 0-9999 are not there: their pods are Pending for 10 min: Insufficient cpu',
  ])
})

test('more pods than a MiniCluster can have, or an absurd size, are not looked at', async () => {
  const copies = Array.from({ length: 10_001 }, (_, rank) => running(`${rank}`, { job: 'other' }))
  await assert.rejects(look(copies), { code: 503, message: /more than 10000 pods have its label/ })
  for (const size of [2_147_483_647, -1, 1.5]) {
    await assert.rejects(look([], size), { code: 503, message: /has a size of/ })
  }
  await assert.rejects(lookAt(new MemoryCluster([]), TARGET), { code: 404 })
})

test('the data of an explanation', async () => {
  const shortage = await look([...FOUR, refused({ message: QUOTA, first: 240 })])
  const { size, unavailable, short } = explainShortage(shortage)
  const [only] = short
  assert.deepEqual([size, unavailable, short.length], [6, 2, 1])
  assert.deepEqual([only?.kind, only?.ranks, only?.causes.length], ['refused', '4-5', 1])
})

/** An API server that answers one kind of object in another way. */
function answering(kind: string, list: Cluster['list']): Pick<Cluster, 'read' | 'list'> {
  const memory = new MemoryCluster([cluster(6), ...FOUR])
  return {
    read: memory.read.bind(memory),
    list: (collection, options) =>
      collection.kind === kind ? list(collection, options) : memory.list(collection, options),
  }
}

test('pods or Events that are not listed, because something else answers 404, are not zero', async () => {
  const nothing = async () => ({ items: [], continue: undefined })
  await assert.rejects(lookAt(answering('Pod', nothing), TARGET), ClusterError)
  await assert.rejects(lookAt(answering('Event', nothing), TARGET), ClusterError)
})

test('refusals that are too long to be read, or too many, are not zero', async () => {
  const tooLong = async () => {
    throw new ClusterError(0, 'The answer is too long', { cause: new AnswerTooLong(1) })
  }
  await assert.rejects(lookAt(answering('Event', tooLong), TARGET), /refus|too long/)
  const event = refused({ first: 500, last: 400 })
  const many = async (): ReturnType<Cluster['list']> => ({
    items: Array.from({ length: 500 }, () => ({ ...event, metadata: { name: 'a' } })),
    continue: 'more',
    resourceVersion: '1',
  })
  await assert.rejects(lookAt(answering('Event', many), TARGET), /refus/)
})

test('a refusal in a later part of the Events counts', async () => {
  const old = Array.from({ length: 120 }, () => refused({ first: 900, last: 400 }))
  const { unavailable } = await look([...FOUR, ...old, refused({ first: 240, last: 20 })])
  assert.equal(unavailable, 2)
})
