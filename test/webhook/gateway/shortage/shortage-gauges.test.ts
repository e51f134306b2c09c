// The MiniClusters that are short of pods, as Prometheus reads them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import type { MiniClusterName } from '../../../../webhook/gateway/peers/peer.ts'
import { ShortageGauges } from '../../../../webhook/gateway/shortage/shortage-gauges.ts'
import { Shortages } from '../../../../webhook/gateway/shortage/shortages.ts'
import { ClusterError, type NewObject } from '../../../../webhook/kubernetes/cluster.ts'
import { MemoryCluster } from '../../../support/memory-cluster.ts'
import { readExposition } from '../scraping/exposition.ts'
import { cluster, JOB, NAME, refused, running, unscheduled } from './pods.ts'

/** Has no pods that are short. */
const OTHER = { namespace: 'other', minicluster: 'lammps' } as const

function setUp(objects: readonly NewObject[], names: readonly MiniClusterName[] = [NAME, OTHER]) {
  const memory = new MemoryCluster([cluster(4), ...objects])
  const registry = new Registry()
  const shortages = new Shortages(memory, { jobsOf: () => [JOB] })
  new ShortageGauges({ cluster: memory, peers: { all: () => names }, shortages }).register(registry)
  const scrape = async () => {
    // prom-client separates families by an empty line.
    const families = readExposition((await registry.metrics()).replaceAll(/\n\n+/g, '\n'))
    const samples = (name: string) => families.get(name)?.samples ?? []
    return [
      samples('flux_gateway_unavailable_nodes'),
      samples('flux_gateway_unavailable_nodes_unknown').map(({ value }) => value),
    ]
  }
  return { memory, scrape }
}

test('who is short has a sample, and who is not is not looked at', async () => {
  for (const [objects, value] of [
    [[running(0), running(1), unscheduled(2), unscheduled(3)], 2],
    [[running(0), running(1), running(2), refused()], 1],
  ] as const) {
    const { memory, scrape } = setUp(objects)
    assert.deepEqual(await scrape(), [[{ labels: { ...NAME }, value }], [0]])
    const { length } = memory.calls
    assert.deepEqual(await scrape(), [[{ labels: { ...NAME }, value }], [0]])
    assert.equal(memory.calls.length, length, 'the second scrape costs nothing')
    assert.ok(memory.calls.every(({ namespace }) => namespace !== OTHER.namespace))
  }
})

test('a cluster without pods that wait costs two lists', async () => {
  const { memory, scrape } = setUp([0, 1, 2, 3].map((rank) => running(rank)))
  assert.deepEqual(await scrape(), [[], [0]])
  assert.equal(memory.calls.length, 2)
})

test('what cannot be looked at is counted as unknown, and has no sample', async () => {
  const objects = [running(0), unscheduled(1)]
  const lists = setUp(objects)
  // Then all are suspected. One of them is not there.
  lists.memory.failAt(1)
  assert.deepEqual(await lists.scrape(), [[{ labels: { ...NAME }, value: 1 }], [1]])
  const away = setUp(objects)
  away.memory.failWith(new ClusterError(0, 'Cannot reach the API server'))
  assert.deepEqual(await away.scrape(), [[], [2]])
  const look = setUp(objects)
  look.memory.failAt(3)
  assert.deepEqual(await look.scrape(), [[], [1]])
})
