// The election of a leader among replicas, each with a clock of its own, over one API server in memory.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClusterError, type ClusterObject } from '../../../webhook/kubernetes/cluster.ts'
import { Leadership } from '../../../webhook/reconcile/leadership.ts'
import { MemoryCluster } from '../../support/memory-cluster.ts'
import { memoryLog } from '../../support/memory-log.ts'

const LEASE = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  name: 'flux-metrics-webhook',
  namespace: 'flux-metrics',
} as const

const AWAY = new ClusterError(0, 'Cannot reach the API server: connect ECONNREFUSED')

/** A replica whose monotonic clock only the test moves; clocks begin anywhere. */
function replica(cluster: MemoryCluster, identity: string, startMs = 0) {
  const clock = { ms: startMs }
  const { log, lines } = memoryLog()
  const leadership = new Leadership({
    cluster,
    namespace: 'flux-metrics',
    identity,
    log,
    now: () => clock.ms,
  })
  return {
    leadership,
    clock,
    messages: () => lines.map(({ msg }) => msg),
    /** Ticks every 10 s, as in production. @returns whether it leads then */
    after: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 10_000) {
        clock.ms += 10_000
        await leadership.tick()
      }
      return leadership.isLeader
    },
  }
}

function specOf(cluster: MemoryCluster): Record<string, unknown> {
  const { spec }: ClusterObject = cluster.peek(LEASE) ?? {}
  assert.ok(typeof spec === 'object' && spec !== null)
  return { ...spec }
}

test('the first replica creates the Lease and leads, and the second does not', async () => {
  const cluster = new MemoryCluster()
  const one = replica(cluster, 'one')
  const two = replica(cluster, 'two', 5_000_000)
  assert.equal(one.leadership.isLeader, false)
  assert.equal(await one.leadership.tick(), true)
  assert.equal(await two.leadership.tick(), true)
  assert.deepEqual([one.leadership.isLeader, two.leadership.isLeader], [true, false])
  const { renewTime, acquireTime, ...spec } = specOf(cluster)
  assert.deepEqual(spec, { holderIdentity: 'one', leaseDurationSeconds: 60, leaseTransitions: 0 })
  for (const time of [renewTime, acquireTime]) {
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  }
  assert.deepEqual([one.messages(), two.messages()], [['leads'], []])
})

test('a leader that renews the Lease stays the leader, however long', async () => {
  const cluster = new MemoryCluster()
  const one = replica(cluster, 'one')
  const two = replica(cluster, 'two')
  for (let minute = 0; minute < 30; minute += 1) {
    assert.deepEqual([await one.after(60_000), await two.after(60_000)], [true, false])
  }
  assert.equal(specOf(cluster).leaseTransitions, 0)
})

test('a replica takes the Lease when it has not changed for its duration, and not before', async () => {
  const cluster = new MemoryCluster()
  const one = replica(cluster, 'one')
  await one.after(10_000)
  const two = replica(cluster, 'two')
  await two.leadership.tick()
  assert.equal(await two.after(50_000), false)
  assert.equal(await two.after(10_000), true)
  const { holderIdentity, leaseTransitions } = specOf(cluster)
  assert.deepEqual([holderIdentity, leaseTransitions], ['two', 1])
})

test('clocks that differ by years, and a renewTime of the past, decide nothing', async () => {
  const cluster = new MemoryCluster()
  const one = replica(cluster, 'one', 1e12)
  const two = replica(cluster, 'two', -1e12)
  await one.leadership.tick()
  for (let step = 0; step < 20; step += 1) {
    const stored = cluster.peek(LEASE) ?? assert.fail()
    const spec = { ...specOf(cluster), renewTime: '2001-01-01T00:00:00.000000Z' }
    cluster.put({ ...LEASE, metadata: { ...stored.metadata }, spec })
    assert.equal(await two.after(10_000), false)
    assert.equal(await one.after(10_000), true)
  }
})

test('of two replicas that take the Lease at once, one leads', async () => {
  const cluster = new MemoryCluster()
  await replica(cluster, 'gone').leadership.tick()
  const two = replica(cluster, 'two')
  const three = replica(cluster, 'three')
  for (const { leadership, clock } of [two, three]) {
    await leadership.tick()
    clock.ms += 60_000
  }
  await Promise.all([two.leadership.tick(), three.leadership.tick()])
  const leaders = [two, three].filter(({ leadership }) => leadership.isLeader)
  assert.equal(leaders.length, 1)
})

test('two replicas that start at once: one leads', async () => {
  const cluster = new MemoryCluster()
  const replicas = ['one', 'two'].map((identity) => replica(cluster, identity))
  await Promise.all(replicas.map(({ leadership }) => leadership.tick()))
  assert.equal(replicas.filter(({ leadership }) => leadership.isLeader).length, 1)
})

test('while the API server is away a leader leads on for 40 s, and no two ever lead', async () => {
  const cluster = new MemoryCluster()
  const one = replica(cluster, 'one')
  const two = replica(cluster, 'two')
  await one.leadership.tick()
  await two.leadership.tick()
  cluster.failWith(AWAY)
  assert.equal(await one.leadership.tick(), false)
  assert.equal(await one.after(30_000), true)
  assert.equal(await one.after(10_000), false)
  assert.deepEqual(one.messages(), [
    'leads',
    'cannot take part in the election of a leader: trying again',
    'no longer leads',
  ])
  cluster.failWith(undefined)
  await two.after(40_000)
  assert.deepEqual([one.leadership.isLeader, await two.after(20_000)], [false, true])
  assert.equal(await one.after(10_000), false)
})

test('a leader that was suspended does not lead when it wakes, before any call', async () => {
  const cluster = new MemoryCluster()
  const one = replica(cluster, 'one')
  await one.leadership.tick()
  one.clock.ms += 40_000
  assert.equal(one.leadership.isLeader, false)
})

test('a leader whose renewal conflicts has lost the Lease', async () => {
  const cluster = new MemoryCluster()
  const one = replica(cluster, 'one')
  await one.leadership.tick()
  const { replace } = cluster
  cluster.replace = async () => 'conflict'
  assert.equal(await one.after(10_000), false)
  cluster.replace = replace
  assert.equal(await one.after(10_000), true)
})

test('a leader that ends gives the Lease back, and the next one takes it at once', async () => {
  const cluster = new MemoryCluster()
  const one = replica(cluster, 'one')
  const two = replica(cluster, 'two')
  await one.leadership.tick()
  await two.leadership.tick()
  await one.leadership.close()
  const { holderIdentity, leaseDurationSeconds } = specOf(cluster)
  assert.deepEqual([holderIdentity, leaseDurationSeconds], ['', 1])
  assert.deepEqual([one.leadership.isLeader, await two.after(10_000)], [false, true])
  await two.leadership.close()
  const three = replica(cluster, 'three')
  await three.leadership.tick()
  assert.deepEqual([three.leadership.isLeader, specOf(cluster).leaseTransitions], [true, 2])
})

test('a replica that ends takes no Lease that is not its own, and survives an API server that is away', async () => {
  const cluster = new MemoryCluster()
  const one = replica(cluster, 'one')
  const two = replica(cluster, 'two')
  await one.leadership.tick()
  await two.leadership.tick()
  await two.leadership.close()
  assert.equal(specOf(cluster).holderIdentity, 'one')
  cluster.failWith(AWAY)
  await one.leadership.close()
  assert.equal(specOf(cluster).holderIdentity, 'one')
})

test('a Lease with a senseless duration is taken after a minute', async () => {
  for (const leaseDurationSeconds of [0, -1, 1e9, null]) {
    const cluster = new MemoryCluster()
    const { name, namespace, ...kind } = LEASE
    const spec = { holderIdentity: 'somebody', leaseDurationSeconds }
    cluster.put({ ...kind, metadata: { name, namespace }, spec })
    const one = replica(cluster, 'one')
    await one.leadership.tick()
    assert.deepEqual([await one.after(50_000), await one.after(10_000)], [false, true])
  }
})
