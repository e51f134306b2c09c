import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from '../../../webhook/kubernetes/cluster.ts'
import type { MemoryCluster } from '../../support/memory-cluster.ts'
import { someOf } from '../../support/runs.ts'
import {
  accepts,
  bundleIn,
  Clock,
  CUSTOM_METRICS,
  losingAnswer,
  renew,
  replica,
  secretData,
  servingLeaf,
  setup,
  split,
  WEBHOOKS,
} from './replicas.ts'

const ROUNDS = 9

/** Two replicas from their first tick to the end of a renewal, over an API server that fails once. @returns its calls */
async function liveThrough(cluster: MemoryCluster, failing: Cluster = cluster): Promise<number> {
  const clock = new Clock()
  const replicas = [replica(failing, clock), replica(failing, clock)]
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round === 2) renew(cluster, 'now')
    await Promise.all(replicas.map(({ authority }) => authority.tick()))
    clock.ms += 5_000
    const bundle = bundleIn(cluster, WEBHOOKS)
    for (const { authority } of replicas) {
      if (bundle === '' || authority.servingKeys === undefined) continue
      assert.ok(accepts(bundle, servingLeaf({ authority }), { at: clock.ms }))
    }
  }
  const calls = cluster.calls.length
  // The call that failed may have been the last one.
  cluster.failAt(Number.POSITIVE_INFINITY)
  for (const { authority } of replicas) assert.equal(await authority.tick(), true)
  const data = secretData(cluster)
  assert.deepEqual(Object.keys(data), [
    'current.crt',
    'current.key',
    'previous.json',
    'crossed.json',
  ])
  const [, current, ...more] = split(bundleIn(cluster, WEBHOOKS))
  assert.deepEqual([current?.toString(), more], [data['current.crt'], []])
  assert.equal(bundleIn(cluster, CUSTOM_METRICS), bundleIn(cluster, WEBHOOKS))
  for (const { authority } of replicas) {
    assert.equal(authority.bundle, bundleIn(cluster, WEBHOOKS))
    assert.match(authority.readiness.message, /^certificate until [^ ]+$/)
    const leaf = servingLeaf({ authority })
    assert.ok(accepts(current?.toString() ?? '', leaf, { at: clock.ms }))
  }
  return calls
}

test('whichever call fails, two replicas end with one CA, renewed and published', async () => {
  const calls = await liveThrough(setup().cluster)
  assert.ok(calls > 5 * ROUNDS)
  for (const n of someOf(calls)) {
    const { cluster } = setup()
    cluster.failAt(n)
    await liveThrough(cluster)
  }
})

test('whichever write succeeds but loses its answer, the end is the same', async () => {
  const { cluster: healthy } = setup()
  await liveThrough(healthy)
  const writes = healthy.calls.filter(({ verb }) => verb !== 'get').length
  assert.ok(writes > 6)
  for (let n = 1; n <= writes; n += 1) {
    const { cluster } = setup()
    await liveThrough(cluster, losingAnswer(cluster, n))
  }
})
