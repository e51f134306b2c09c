// The watch of pods against an API server over real HTTPS.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { unavailable } from '#serving/status.ts'
import type { EnabledNames } from '../../../../webhook/gateway/peers/peer.ts'
import { PeerRegistry } from '../../../../webhook/gateway/peers/peer-registry.ts'
import { PodWatch } from '../../../../webhook/gateway/peers/pod-watch.ts'
import { connectCluster } from '../../../../webhook/kubernetes/api-server.ts'
import type { ClusterObject } from '../../../../webhook/kubernetes/cluster.ts'
import type { Pace } from '../../../../webhook/kubernetes/collection-watch.ts'
import { memoryLog } from '../../../support/memory-log.ts'
import { until } from '../../../support/until.ts'
import { watchedApiServer } from '../../../support/watched-api-server.ts'
import { sidecarPod } from './support-pods.ts'

const NONE: EnabledNames = { inNamespace: () => [] }

const NAME = { namespace: 'hpc', minicluster: 'flux-sample' } as const

async function start(
  t: TestContext,
  pace: Partial<Pace> = {},
  { now, enabled = NONE }: { readonly now?: () => number; readonly enabled?: EnabledNames } = {},
) {
  const api = await watchedApiServer(t)
  const { log, lines } = memoryLog()
  const cluster = connectCluster(api.kubeconfig, 'flux-metrics-test')
  const peers = new PodWatch({
    ...{ cluster, enabled, log },
    pace: { pauseCapMs: 20, shortMs: 5, ...pace },
    ...(now && { now }),
  })
  t.after(() => peers.close())
  return { api, peers, lines }
}

test('nothing is known before the pods were listed, which is said', async (t) => {
  const { api, peers } = await start(t)
  await api.down()
  assert.match(peers.missing ?? '', /not known yet: the API server has not answered yet/)
  await peers.start()
  assert.match(peers.missing ?? '', /not known yet: Cannot reach the API server/)
  assert.deepEqual(
    [peers.find(NAME).kind, peers.all(), peers.inNamespace('hpc')],
    ['absent', [], []],
  )
  await api.up()
  await until(() => peers.missing === undefined, 'a list')
})

test('pods are found as they come and go, and the last copy serves while the API server is away', async (t) => {
  const { api, peers } = await start(t)
  await peers.start()
  assert.equal(peers.missing, undefined)
  api.put(sidecarPod())
  await until(() => peers.find(NAME).kind === 'found', 'a peer')
  await api.down()
  assert.equal(peers.find(NAME).kind, 'found')
  assert.equal(peers.missing, undefined)
  api.remove(sidecarPod())
  await api.up()
  await until(() => peers.find(NAME).kind === 'absent', 'no peer')
})

test('a MiniCluster whose last pod went counts as there for a minute, so that no sum is smaller meanwhile', async (t) => {
  let now = 0
  const { api, peers } = await start(t, {}, { now: () => now })
  const other = sidecarPod({ minicluster: 'other', name: 'other-0' })
  api.put(sidecarPod())
  api.put(other)
  await peers.start()
  const both = [NAME, { ...NAME, minicluster: 'other' }]
  assert.deepEqual(peers.inNamespace('hpc'), both)
  api.remove(sidecarPod())
  await until(() => peers.find(NAME).kind === 'absent', 'no peer')
  assert.deepEqual(peers.inNamespace('hpc'), both)
  assert.deepEqual(peers.all(), both.slice(1))
  now = 59_999
  assert.deepEqual(peers.inNamespace('hpc'), both)
  now = 60_000
  assert.deepEqual(peers.inNamespace('hpc'), both.slice(1))
})

test('so does one whose end only a list has told of', async (t) => {
  const { api, peers } = await start(t, { relistMs: 50 })
  api.put(sidecarPod())
  await peers.start()
  api.removeSilently(sidecarPod())
  await until(() => peers.find(NAME).kind === 'absent', 'no peer')
  assert.deepEqual(peers.inNamespace('hpc'), [NAME])
})

test('a MiniCluster that asks for metrics and has no sidecar is missing in no list, so that no other answers for it', async (t) => {
  const names = ['flux-sample', 'finished', 'not-injected']
  const enabled = { inNamespace: (namespace: string) => (namespace === 'hpc' ? names : []) }
  const { api, peers } = await start(t, {}, { enabled })
  await peers.start()
  assert.deepEqual(peers.inNamespace('hpc'), [])
  api.put(sidecarPod())
  api.put(sidecarPod({ minicluster: 'finished', status: { phase: 'Succeeded' } }))
  await until(() => peers.find({ ...NAME, minicluster: 'finished' }).kind !== 'absent', 'a peer')
  assert.deepEqual(peers.inNamespace('hpc'), [NAME, { ...NAME, minicluster: 'not-injected' }])
  assert.deepEqual(peers.all(), [NAME])
  names.pop()
  assert.deepEqual(peers.inNamespace('hpc'), [NAME])
})

test('as long as it is not known which ask for metrics, a list of some may lack others', async (t) => {
  const enabled = {
    inNamespace() {
      throw unavailable('Cannot list those that ask')
    },
  }
  const { api, peers } = await start(t, {}, { enabled })
  await peers.start()
  assert.deepEqual(peers.inNamespace('hpc'), [])
  api.put(sidecarPod())
  await until(() => peers.find(NAME).kind === 'found', 'a peer')
  assert.throws(() => peers.inNamespace('hpc'), /^StatusError: Cannot list those that ask/)
})

test('after three minutes without a word of the API server there may be other MiniClusters', async (t) => {
  let now = 1_000
  const { api, peers } = await start(t, {}, { now: () => now })
  const listed = () => {
    try {
      return peers.inNamespace('hpc').length
    } catch (error) {
      return String(error)
    }
  }
  api.put(sidecarPod())
  await peers.start()
  await until(() => api.watches().length === 1, 'a watch')
  now += 180_000
  assert.equal(listed(), 1)
  now += 1
  const silent =
    'StatusError: Cannot list the MiniClusters of namespace "hpc": for 3 minutes the API server has told of no new ones: it is silent'
  assert.equal(listed(), silent)
  assert.deepEqual([peers.find(NAME).kind, peers.missing], ['found', undefined])
  api.bookmark()
  await until(() => listed() === 1, 'a bookmark')
  await api.down()
  now += 3_600_000
  await until(() => /for 60 minutes .*Cannot reach/.test(String(listed())), 'why')
  await api.up()
  api.put(sidecarPod({ minicluster: 'new', name: 'new-0' }))
  await until(() => listed() === 2, 'the change')
})

test('the API server selects the pods of all namespaces', async (t) => {
  const { api, peers } = await start(t)
  await peers.start()
  const [asked] = api.asked
  assert.equal(asked?.pathname, '/api/v1/pods')
  assert.equal(asked?.searchParams.get('labelSelector'), 'api-server=custom-metrics')
})

test('a namespace with too many pods is logged, and never answered with a part of its MiniClusters', async (t) => {
  const { api, peers, lines } = await start(t)
  for (let index = 0; index < 2_003; index += 1) api.put(sidecarPod({ name: `p${index}` }))
  await peers.start()
  const msg = 'there are too many pods with sidecars: some MiniClusters have no answer'
  assert.deepEqual(lines, [{ level: 'warn', omitted: 3, msg }])
  assert.throws(
    () => peers.inNamespace('hpc'),
    /^StatusError: Cannot list the MiniClusters of namespace "hpc"/,
  )
  assert.deepEqual(peers.inNamespace('other'), [])
})

type Step = 'put' | 'remove' | 'removeSilently' | 'cut' | 'bookmark'

test('whatever happens between list and watch, in the end it is what a list says', async (t) => {
  const { api, peers } = await start(t, { relistMs: 60 })
  await peers.start()
  const step = fc.record({
    what: fc.constantFrom<Step>('put', 'put', 'put', 'remove', 'removeSilently', 'cut', 'bookmark'),
    pod: fc
      .record({
        minicluster: fc.constantFrom('x', 'y'),
        name: fc.constantFrom('p', 'q', 'r'),
        age: fc.nat(2),
        status: fc.constantFrom({}, { phase: 'Failed' }, { podIP: null }),
      })
      .map(sidecarPod),
  })
  const last = new Map<string, ClusterObject>()
  const perform = (what: Step, pod: ClusterObject) => {
    const name = pod.metadata?.name ?? ''
    if (what === 'put') {
      last.set(name, pod)
      api.put(pod)
    } else if (what === 'cut') {
      for (const response of api.watches()) response.destroy()
    } else if (what === 'bookmark') {
      api.bookmark()
    } else if (last.delete(name)) {
      api[what](pod)
    }
  }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      for (const { what, pod } of steps) {
        perform(what, pod)
        if (pod.metadata?.name === 'p') await new Promise(setImmediate)
      }
      const listed = new PeerRegistry()
      for (const pod of last.values()) listed.put(pod)
      const expected = JSON.stringify(answersOf(listed))
      await until(() => JSON.stringify(answersOf(peers)) === expected, expected)
    }),
    { numRuns: 40 },
  )
})

function answersOf(peers: Pick<PodWatch, 'all' | 'find'>) {
  return peers.all().map((name) => [name, peers.find(name)])
}
