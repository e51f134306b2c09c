import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { PeerRegistry } from '../../../../webhook/gateway/peers/peer-registry.ts'
import type { ClusterObject } from '../../../../webhook/kubernetes/cluster.ts'
import { type PodChanges, sidecarPod } from './support-pods.ts'

const NAME = { namespace: 'hpc', minicluster: 'flux-sample' } as const
const PENDING = { phase: 'Pending', podIP: null, initContainerStatuses: null } as const
const FAILED = { phase: 'Failed' } as const

function registryOf(...pods: readonly PodChanges[]): PeerRegistry {
  const registry = new PeerRegistry()
  for (const pod of pods) registry.put(sidecarPod(pod))
  return registry
}

/** The names of the pods that are asked, or why none is. */
function found(registry: PeerRegistry) {
  const lookup = registry.find(NAME)
  return lookup.kind === 'found' ? lookup.peers.map(({ pod }) => pod) : lookup
}

/** Bytes. */
function heapAfterGarbage(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

test('a pod is found by its MiniCluster, with where to ask it', () => {
  const { peers } = { peers: [], ...registryOf({}).find(NAME) }
  assert.deepEqual(peers, [
    {
      ...NAME,
      pod: 'flux-sample-0-abcde',
      uid: 'uid-of-flux-sample-0-abcde',
      address: '10.1.2.3',
      port: 8443,
      job: 'uid-of-job',
      createdAt: Date.parse('2026-11-29T06:00:00Z'),
      version: '0.1.0',
    },
  ])
})

test('MiniClusters are told apart by name and namespace', () => {
  const registry = registryOf({ namespace: 'other' }, { minicluster: 'flux-sample-2' })
  assert.deepEqual(registry.find(NAME), { kind: 'absent' })
  assert.deepEqual(registry.find({ namespace: 'toString', minicluster: '__proto__' }), {
    kind: 'absent',
  })
})

test('candidates are in the order of their age, the newest first, and of each Job its newest and its oldest', () => {
  const registry = registryOf({ name: 'b', age: 2 }, { name: 'c', age: 3 }, { name: 'a', age: 1 })
  assert.deepEqual(found(registry), ['c', 'a'])
})

test('an older pod of another Job does not answer for a newer one that cannot be asked', () => {
  const former = { name: 'former', job: 'former' }
  const newer = { name: 'newer', job: 'newer', age: 1, status: PENDING }
  const why = 'has no IP address yet (Pending)'
  assert.deepEqual(found(registryOf(former, newer)), { kind: 'unready', pod: 'newer', why })
  // Times have whole seconds.
  assert.deepEqual(found(registryOf(former, { ...newer, age: 0 })), {
    kind: 'unready',
    pod: 'newer',
    why,
  })
  // A stranger that is newer than both is no way around it.
  const copy = { name: 'copy', job: 'copy', age: 2 }
  assert.deepEqual(found(registryOf(former, newer, copy)), ['copy'])
})

test('a pod of the same Job that cannot be asked hides nothing', () => {
  const waiting = { name: 'copy', age: 9, status: PENDING }
  assert.deepEqual(found(registryOf({ name: 'real' }, waiting)), ['real'])
})

test('nor for a newer one that has ended: its Job makes another', () => {
  const former = { name: 'former', job: 'former' }
  const failed = { name: 'newer', job: 'newer', age: 1, status: FAILED }
  const going = { ...failed, metadata: { deletionTimestamp: '2026-11-29T06:00:09Z' } }
  const unready = { kind: 'unready', pod: 'newer', why: 'has ended (Failed)' }
  assert.deepEqual(found(registryOf(former, failed)), unready)
  assert.equal(registryOf(former, going).find(NAME).kind, 'unready')
  const next = { name: 'next', job: 'newer', age: 2 }
  assert.deepEqual(found(registryOf(former, failed, next)), ['next'])
})

test('pods of the same Job that have ended hide nothing, and are told about if there is no other', () => {
  const ended = { name: 'ended', age: 9, status: FAILED }
  assert.deepEqual(found(registryOf({ name: 'real' }, ended)), ['real'])
  const why = 'has ended (Failed)'
  assert.deepEqual(found(registryOf(ended)), { kind: 'unready', pod: 'ended', why })
  const waiting = { name: 'waiting', status: PENDING }
  assert.deepEqual(found(registryOf(ended, waiting)), {
    kind: 'unready',
    pod: 'waiting',
    why: 'has no IP address yet (Pending)',
  })
})

test('many copies hide no real pod, older or newer', () => {
  const copies = (job: (index: number) => string) =>
    Array.from({ length: 500 }, (_, at) => ({ name: `copy-${at}`, job: job(at), age: 10 + at }))
  for (const age of [0, 1_000]) {
    for (const job of [() => 'one', (at: number) => `job-${at}`, () => 'uid-of-job']) {
      const pods = found(registryOf({ name: 'real', age }, ...copies(job)))
      assert.ok(Array.isArray(pods) && pods.length <= 8)
      assert.ok(pods.includes('real'), `${age} ${job(1)}`)
    }
  }
})

test('lists are sorted, also with pods that cannot be asked', () => {
  const registry = registryOf(
    { minicluster: 'z' },
    { minicluster: 'a', status: PENDING },
    { namespace: 'abc', minicluster: 'm' },
    { minicluster: 'a', name: 'second' },
  )
  const names = (list: ReturnType<PeerRegistry['all']>) =>
    list.map(({ namespace, minicluster }) => `${namespace}/${minicluster}`)
  assert.deepEqual(names(registry.inNamespace('hpc')), ['hpc/a', 'hpc/z'])
  assert.deepEqual(names(registry.inNamespace('none')), [])
  assert.deepEqual(names(registry.all()), ['abc/m', 'hpc/a', 'hpc/z'])
})

test('a MiniCluster that has finished is in no list, unless it has another pod', () => {
  const succeeded = { name: 'first', status: { phase: 'Succeeded' } }
  const counted = (...pods: readonly PodChanges[]) => {
    const registry = registryOf({ minicluster: 'runs' }, ...pods)
    assert.deepEqual(registry.all(), registry.inNamespace('hpc'))
    return registry.inNamespace('hpc').length - 1
  }
  assert.equal(counted(succeeded), 0)
  assert.deepEqual(found(registryOf(succeeded)), {
    kind: 'unready',
    pod: 'first',
    why: 'has ended (Succeeded)',
  })
  const second = { name: 'second', age: 1 }
  for (const status of [{}, PENDING, FAILED]) {
    assert.equal(counted(succeeded, { ...second, status }), 1)
  }
  assert.equal(
    counted({ ...succeeded, status: FAILED }, { ...second, status: succeeded.status }),
    0,
  )
  assert.equal(counted({ ...succeeded, status: FAILED }), 1)
})

test('the Jobs of a MiniCluster are those of its living pods', () => {
  const pods = [
    { name: 'askable', job: 'one', status: {} },
    { name: 'pending', job: 'two', status: PENDING },
    { name: 'failed', job: 'three', status: FAILED },
    { name: 'succeeded', job: 'four', status: { phase: 'Succeeded' } },
  ]
  assert.deepEqual(registryOf(...pods).jobsOf(NAME), ['one', 'two'])
})

test('the end of a pod is told where another may follow', () => {
  const gone: string[] = []
  const registry = new PeerRegistry(undefined, ({ minicluster }) => gone.push(minicluster))
  for (const phase of ['Running', 'Failed', 'Succeeded']) {
    const pod = sidecarPod({ minicluster: phase.toLowerCase(), status: { phase } })
    registry.put(pod)
    registry.remove(pod)
  }
  assert.deepEqual(gone, ['running', 'failed'])
})

test('one namespace with too many pods hides none of the others, and no more than the bound is kept', () => {
  const registry = new PeerRegistry({ pods: 5, podsOfNamespace: 3 })
  const put = (namespace: string, minicluster: string) =>
    registry.put(sidecarPod({ namespace, minicluster }))
  for (const name of ['a', 'b', 'c', 'd', 'e']) put('greedy', name)
  put('modest', 'a')
  assert.equal(registry.all().length, 4)
  assert.equal(registry.omitted, 2)
  put('modest', 'b')
  put('late', 'a')
  assert.deepEqual([registry.all().length, registry.omitted], [5, 3])
  // What is known may change.
  put('greedy', 'a')
  registry.remove(sidecarPod({ namespace: 'greedy', minicluster: 'b' }))
  put('late', 'a')
  assert.deepEqual([registry.all().length, registry.omitted], [5, 3])
})

test('a namespace of which pods were left out is known as cut, and others are not', () => {
  const registry = new PeerRegistry({ pods: 5, podsOfNamespace: 1 })
  for (const minicluster of ['a', 'b']) registry.put(sidecarPod({ namespace: 'full', minicluster }))
  registry.put(sidecarPod({ namespace: 'modest' }))
  assert.deepEqual([registry.isCut('full'), registry.isCut('modest')], [true, false])
})

test('where there is no room, what has ended makes room, and an older pod for a newer one of its MiniCluster', () => {
  const gone: string[] = []
  const bounds = { pods: 9, podsOfNamespace: 2 }
  const registry = new PeerRegistry(bounds, ({ minicluster }) => gone.push(minicluster))
  registry.put(sidecarPod({ minicluster: 'a', status: { phase: 'Succeeded' } }))
  registry.put(sidecarPod({ minicluster: 'b' }))
  registry.put(sidecarPod({ minicluster: 'c' }))
  const names = () => registry.all().map(({ minicluster }) => minicluster)
  assert.deepEqual([names(), gone], [['b', 'c'], []])
  registry.put(sidecarPod({ minicluster: 'c', name: 'c-0-newer', age: 1, status: PENDING }))
  assert.deepEqual([names(), registry.omitted, gone], [['b', 'c'], 0, []])
  assert.equal(registry.find({ namespace: 'hpc', minicluster: 'c' }).kind, 'unready')
  assert.equal(registry.isCut('hpc'), false)
  registry.put(sidecarPod({ minicluster: 'd' }))
  assert.deepEqual([names(), registry.omitted], [['b', 'c'], 1])
})

test('a failed pod that made room is missing: its Job makes another', () => {
  const registry = new PeerRegistry({ pods: 9, podsOfNamespace: 1 })
  registry.put(sidecarPod({ minicluster: 'a', status: FAILED }))
  registry.put(sidecarPod({ minicluster: 'b' }))
  assert.deepEqual([registry.all().length, registry.isCut('hpc')], [1, true])
})

test('of what users write into pods a kilobyte is kept at most', () => {
  const registry = new PeerRegistry()
  const before = heapAfterGarbage()
  for (let index = 0; index < 100; index += 1) {
    const pod = JSON.stringify(sidecarPod({ minicluster: `m${index}` }))
    registry.put(JSON.parse(pod.replace('0.1.0', 'v'.repeat(200_000))))
  }
  assert.equal(registry.all().length, 100)
  assert.ok(heapAfterGarbage() - before < 5 * 2 ** 20)
  registry.put(sidecarPod({ minicluster: 'long', job: 'u'.repeat(101) }))
  assert.deepEqual(registry.find({ ...NAME, minicluster: 'long' }), { kind: 'absent' })
})

const arbitraryPod: fc.Arbitrary<ClusterObject> = fc
  .record({
    namespace: fc.constantFrom('a', 'b'),
    minicluster: fc.constantFrom('x', 'y'),
    name: fc.constantFrom('p', 'q', 'r', 's'),
    job: fc.constantFrom('one', 'two'),
    age: fc.nat(3),
    status: fc.constantFrom({}, PENDING, FAILED),
    spec: fc.constantFrom({}, { initContainers: [] }),
  })
  .map(sidecarPod)

const keyOf = ({ metadata }: ClusterObject) => `${metadata?.namespace}/${metadata?.name}`

/** Everything that a registry answers. */
function answersOf(registry: PeerRegistry) {
  return registry.all().map((name) => [name, registry.find(name)])
}

test('whatever happened, it is as if the last state had been listed, in any order', () => {
  const change = fc.record({ object: arbitraryPod, isRemoval: fc.boolean() })
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const watched = new PeerRegistry()
      const last = new Map<string, ClusterObject>()
      for (const { object, isRemoval } of changes) {
        if (isRemoval) {
          watched.remove(object)
          last.delete(keyOf(object))
        } else {
          watched.put(object)
          last.set(keyOf(object), object)
        }
      }
      for (const objects of [[...last.values()], [...last.values()].reverse()]) {
        const listed = new PeerRegistry()
        for (const object of objects) listed.put(object)
        assert.deepEqual(answersOf(watched), answersOf(listed))
      }
    }),
  )
})
