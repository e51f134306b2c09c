import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Candidate } from '../../../../webhook/admission/decision.ts'
import { LookUps } from '../../../../webhook/admission/look-ups/look-ups.ts'
import { ClusterError } from '../../../../webhook/kubernetes/cluster.ts'
import type { ServerVersion } from '../../../../webhook/kubernetes/server-version.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { SILENT_CLUSTER } from '../../support-admission.ts'
import { JOB_OWNER, job, MINICLUSTER_OWNER, miniCluster, OBJECTS } from '../../support-objects.ts'

const CANDIDATE: Candidate = { kind: 'candidate', job: JOB_OWNER }
const JOB = { apiVersion: 'batch/v1', kind: 'Job' } as const
const MINICLUSTER = { apiVersion: 'flux-framework.org/v1alpha2', kind: 'MiniCluster' } as const
const NO_POLICIES = { limitRanges: [], quotas: [] }
const V1_36: ServerVersion = { major: 1, minor: 36 }

/** Resolves when the calls in an API server in memory have ended. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise(setImmediate)
}

const VERSIONS: readonly (readonly [ServerVersion, boolean])[] = [
  [{ major: 1, minor: 28 }, false],
  [{ major: 1, minor: 29 }, true],
  [{ major: 2, minor: 0 }, true],
  [{ major: 0, minor: 99 }, false],
  [{ major: Number.NaN, minor: Number.NaN }, false],
]

for (const [version, nativeSidecars] of VERSIONS) {
  const { major, minor } = version
  test(`gather finds for version ${major}.${minor}: native sidecars ${nativeSidecars}`, async () => {
    const lookUps = new LookUps({ cluster: new MemoryCluster(), readVersion: async () => version })
    const gathered = await lookUps.gather(CANDIDATE, 'default')
    assert.deepEqual(gathered, { minicluster: undefined, nativeSidecars, policies: NO_POLICIES })
  })
}

/** Look-ups, and how often they asked for the version, which fails while `away`. */
function versioned() {
  const state = { asked: 0, away: false }
  const lookUps = new LookUps({
    cluster: new MemoryCluster(),
    readVersion: async () => {
      state.asked += 1
      if (state.away) throw new Error('connection refused')
      return V1_36
    },
  })
  return { state, gather: () => lookUps.gather(CANDIDATE, 'default') }
}

test('gather keeps the version', async () => {
  const { state, gather } = versioned()
  await gather()
  const { nativeSidecars } = await gather()
  assert.deepEqual([state.asked, nativeSidecars], [1, true])
})

test('gathers at one time ask for the version once', async () => {
  const { state, gather } = versioned()
  await Promise.all([gather(), gather()])
  assert.equal(state.asked, 1)
})

test('gather asks for the version again after 10 minutes, and keeps the old one if there is no answer', async (t) => {
  const { state, gather } = versioned()
  await gather()
  const now = performance.now()
  t.mock.method(performance, 'now', () => now + 600_001)
  state.away = true
  const { nativeSidecars } = await gather()
  assert.deepEqual([state.asked, nativeSidecars], [2, true])
})

test('gather does without the version while it was never read', async () => {
  const { state, gather } = versioned()
  state.away = true
  assert.deepEqual(await gather(), {
    minicluster: undefined,
    nativeSidecars: false,
    policies: NO_POLICIES,
  })
  state.away = false
  assert.deepEqual(await gather(), {
    minicluster: undefined,
    nativeSidecars: true,
    policies: NO_POLICIES,
  })
})

test('gather does without a version that takes more than a second', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const lookUps = new LookUps({
    cluster: new MemoryCluster(OBJECTS),
    readVersion: () => new Promise(() => {}),
  })
  const gathered = lookUps.gather(CANDIDATE, 'default')
  t.mock.timers.tick(1_000)
  const { minicluster, nativeSidecars } = await gathered
  assert.deepEqual([minicluster?.metadata.name, nativeSidecars], ['flux-sample', false])
})

test('gather waits for no version that is read again', async (t) => {
  let answer = Promise.resolve(V1_36)
  const lookUps = new LookUps({
    cluster: new MemoryCluster(OBJECTS),
    readVersion: () => answer,
  })
  await lookUps.gather(CANDIDATE, 'default')
  const now = performance.now()
  t.mock.method(performance, 'now', () => now + 600_001)
  answer = new Promise(() => {})
  assert.equal((await lookUps.gather(CANDIDATE, 'default')).nativeSidecars, true)
})

/** An API server that gives these answers about each object, one after the other, and then the stored object. */
function answering(answers: readonly (ClusterError | undefined)[]) {
  const cluster = new MemoryCluster(OBJECTS)
  const left = new Map(['Job', 'MiniCluster'].map((kind) => [kind, [...answers]]))
  return {
    calls: cluster.calls,
    list: cluster.list.bind(cluster),
    read: async (reference: Parameters<MemoryCluster['read']>[0]) => {
      const stored = await cluster.read(reference)
      const given = left.get(reference.kind) ?? []
      if (given.length === 0) return stored
      const answer = given.shift()
      if (answer !== undefined) throw answer
      return undefined
    },
  }
}

async function nameIn(cluster: ReturnType<typeof answering>) {
  const { minicluster } = await new LookUps({
    cluster,
    readVersion: async () => V1_36,
  }).gather(CANDIDATE, 'default')
  return minicluster?.metadata.name
}

test('gather finds a MiniCluster that the API server does not know at once', async () => {
  assert.equal(await nameIn(answering([undefined])), 'flux-sample')
})

test('gather gives up on an owner that is not there after four attempts', async () => {
  const cluster = answering(Array.from({ length: 9 }, () => undefined))
  assert.equal(await nameIn(cluster), undefined)
  assert.equal(cluster.calls.length, 4)
})

test('gather tries again after an error that passes', async () => {
  for (const code of [0, 429, 500, 503, 504]) {
    assert.equal(await nameIn(answering([new ClusterError(code, 'no')])), 'flux-sample')
  }
})

test('gather does not try again what is forbidden', async () => {
  const cluster = answering([new ClusterError(403, 'no')])
  await assert.rejects(nameIn(cluster), { code: 403 })
  assert.equal(cluster.calls.length, 1)
})

test('equal look-ups at one time are one', async () => {
  const cluster = new MemoryCluster(OBJECTS)
  const lookUps = new LookUps({ cluster, readVersion: async () => V1_36 })
  const all = await Promise.all(
    Array.from({ length: 50 }, () => lookUps.gather(CANDIDATE, 'default')),
  )
  // The Job, its MiniCluster, and the two kinds of policies.
  assert.equal(cluster.calls.length, 4)
  for (const { minicluster, policies } of all) {
    assert.deepEqual([minicluster?.metadata.name, policies], ['flux-sample', NO_POLICIES])
  }
})

for (const [what, isSlow] of [
  ['owners', (kind: string) => kind === 'Job'],
  ['policies', (kind: string) => kind === 'LimitRange'],
] as const) {
  test(`${what} are not asked for again when nobody waits for them any more`, async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const cluster = new MemoryCluster(OBJECTS)
    const { promise, reject } = Promise.withResolvers<never>()
    let asked = 0
    const answer = async <T>(kind: string, stored: Promise<T>): Promise<T> => {
      if (!isSlow(kind)) return stored
      asked += 1
      return promise
    }
    const lookUps = new LookUps({
      cluster: {
        read: (reference) => answer(reference.kind, cluster.read(reference)),
        list: (collection, options) => answer(collection.kind, cluster.list(collection, options)),
      },
      readVersion: async () => V1_36,
    })
    const gathered = assert.rejects(lookUps.gather(CANDIDATE, 'default'), /within 2000 ms/)
    await settled()
    t.mock.timers.tick(2_000)
    await gathered
    reject(new ClusterError(503, 'no'))
    await settled()
    assert.equal(asked, 1)
  })
}

/** A pod's owner that does not exist. */
function stranger(index: number): Candidate {
  return { kind: 'candidate', job: { ...JOB_OWNER, name: `no-${index}`, uid: `no-${index}` } }
}

test('look-ups that find nothing are limited, and do not hold up those that do', async (t) => {
  const now = performance.now()
  t.mock.method(performance, 'now', () => now)
  const cluster = new MemoryCluster(OBJECTS)
  const lookUps = new LookUps({ cluster, readVersion: async () => V1_36 })
  await lookUps.gather(CANDIDATE, 'default')
  const flood = await Promise.allSettled(
    Array.from({ length: 1_000 }, (_, index) => lookUps.gather(stranger(index), `any-${index}`)),
  )
  // On a busy machine some of them have no answer in time.
  const reasons = flood.map((one) => String(one.status === 'rejected' && one.reason))
  assert.ok(
    reasons.some((reason) => reason.includes('Too many look-ups')),
    reasons[0],
  )
  assert.ok(cluster.calls.length < 300, `${cluster.calls.length} calls`)
  const { minicluster } = await lookUps.gather(CANDIDATE, 'default')
  assert.equal(minicluster?.metadata.name, 'flux-sample')
})

test('MiniClusters that exist are confirmed without such a limit', async (t) => {
  const now = performance.now()
  t.mock.method(performance, 'now', () => now)
  const cluster = new MemoryCluster(OBJECTS)
  const lookUps = new LookUps({ cluster, readVersion: async () => V1_36 })
  const { apiVersion, name, uid } = MINICLUSTER_OWNER
  for (let count = 0; count < 500; count += 1) {
    assert.ok(await lookUps.confirm({ apiVersion, name, uid }, 'default'))
  }
})

test('Jobs that exist are looked up without such a limit, also those that no MiniCluster controls', async (t) => {
  const now = performance.now()
  t.mock.method(performance, 'now', () => now)
  const cluster = new MemoryCluster([job({ ownerReferences: [] })])
  const lookUps = new LookUps({ cluster, readVersion: async () => V1_36 })
  for (let count = 0; count < 500; count += 1) {
    assert.equal(await lookUps.find(CANDIDATE, 'default'), undefined)
  }
})

test('look-ups of one namespace that find nothing leave room for those of another', async () => {
  const cluster = new MemoryCluster(OBJECTS)
  const lookUps = new LookUps({ cluster, readVersion: async () => V1_36 })
  const flood = Promise.allSettled(
    Array.from({ length: 300 }, (_, index) => lookUps.gather(stranger(index), 'hostile')),
  )
  const { minicluster } = await lookUps.gather(CANDIDATE, 'default')
  assert.equal(minicluster?.metadata.name, 'flux-sample')
  await flood
})

test('a thousand look-ups a few at a time that find their MiniClusters are not limited', async () => {
  const objects = Array.from({ length: 1_000 }, (_, index) => {
    const name = `mc-${index}`
    const owner = { ...MINICLUSTER_OWNER, name, uid: `uid-mc-${index}` }
    const { metadata, ...rest } = miniCluster()
    return [
      job({ name, uid: `uid-job-${index}`, namespace: 'hpc', ownerReferences: [owner] }),
      { ...rest, metadata: { ...metadata, name, namespace: 'hpc', uid: owner.uid } },
    ]
  })
  const lookUps = new LookUps({
    cluster: new MemoryCluster(objects.flat()),
    readVersion: async () => V1_36,
  })
  for (let start = 0; start < 1_000; start += 100) {
    const names = Array.from({ length: 100 }, (_, index) => start + index)
    const found = await Promise.all(
      names.map((index) => {
        const owner = { ...JOB_OWNER, name: `mc-${index}`, uid: `uid-job-${index}` }
        return lookUps.gather({ kind: 'candidate', job: owner }, 'hpc')
      }),
    )
    assert.ok(found.every(({ minicluster }) => minicluster !== undefined))
  }
})

test('a reference longer than any real one is not looked up', async () => {
  const cluster = new MemoryCluster(OBJECTS)
  const lookUps = new LookUps({ cluster, readVersion: async () => V1_36 })
  const long: Candidate = { kind: 'candidate', job: { ...JOB_OWNER, uid: 'u'.repeat(3_000_000) } }
  assert.equal((await lookUps.gather(long, 'default')).minicluster, undefined)
  assert.deepEqual(cluster.calls, [])
})

test('warmUp asks for a Job, a MiniCluster and the version before the first review', async () => {
  const cluster = new MemoryCluster()
  let asked = 0
  const readVersion = async () => {
    asked += 1
    return V1_36
  }
  const lookUps = new LookUps({ cluster, readVersion })
  await lookUps.warmUp('flux-metrics')
  const names = { name: 'flux-metrics-warm-up', namespace: 'flux-metrics' }
  assert.deepEqual(cluster.calls, [
    { verb: 'get', ...JOB, ...names },
    { verb: 'get', ...MINICLUSTER, ...names },
  ])
  await lookUps.gather(CANDIDATE, 'default')
  assert.equal(asked, 1)
})

test('warmUp does not reject when the API server is away', async () => {
  const cluster = new MemoryCluster()
  cluster.failWith(new ClusterError(0, 'Cannot reach the API server: refused'))
  const readVersion = () => Promise.reject(new ClusterError(500, 'no'))
  await new LookUps({ cluster, readVersion }).warmUp('flux-metrics')
  assert.equal(cluster.calls.length, 2)
})

test('gather waits until its deadline and no longer', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const lookUps = new LookUps({ cluster: SILENT_CLUSTER, readVersion: async () => V1_36 })
  const gathered = lookUps.gather(CANDIDATE, 'default')
  t.mock.timers.tick(2_000)
  await assert.rejects(gathered, { message: 'The API server did not answer within 2000 ms' })
})
