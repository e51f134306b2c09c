// Ranks that are not pods of the MiniCluster, from end to end: a simulated broker whose R names the hosts, the sidecar, and
// what it answers.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { InstanceOptions } from '#simulation/instance.ts'
import { readConfig } from '../../sidecar/config.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import { EXPLAIN } from '../../webhook/cli/explain/explain.ts'
import { awaitedLog } from '../support/awaited-log.ts'
import { createTestCluster, TEST_PACE } from '../support/cluster.ts'
import { ask } from '../support/https.ts'
import { createMemoryIo } from '../webhook/cli/memory-io.ts'

const METRICS = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/metrics'

/** The sidecar of MiniCluster `flux-sample`, and a job on every rank of its Flux that is up. */
async function start(t: TestContext, options: Partial<InstanceOptions>) {
  const { instance, path, startBroker } = await createTestCluster(t, { gpusPerNode: 0, ...options })
  for (const rank of instance.online)
    instance.submit({ placement: [{ ranks: [rank], cores: [0] }] })
  await startBroker({ role: 'owner' })
  const read = readConfig({
    FLUX_URI: `local://${path}`,
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    DRAIN: 'true',
  })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { log, logged } = awaitedLog()
  const fresh = logged('stale → fresh: read Flux')
  const sidecar = await startSidecar(read.config, { log, version: '1.2.3', pace: TEST_PACE })
  t.after(() => sidecar.close({ lingerMs: 0 }))
  await fresh
  return {
    instance,
    explain: async () => {
      const { io, written } = createMemoryIo()
      const url = `https://127.0.0.1:${sidecar.port}`
      assert.equal(await EXPLAIN.run(['--url', url, '--insecure', '--json'], io), 0, written.err)
      return JSON.parse(written.out)
    },
    /** The value of a metric, or the status of an error. */
    get: async (metric: string): Promise<string | number> => {
      const { status, text } = await ask(sidecar.port, `${METRICS}/${metric}`)
      return status === 200 ? JSON.parse(text).items[0].value : status
    },
  }
}

test('jobs on ranks of another cluster are neither counted nor shown as what keeps nodes', async (t) => {
  const { instance, explain, get } = await start(t, { maxSize: 4, up: 2, bursted: 3 })
  const { warnings, maximum, floorHolder, bursted, floor } = await explain()
  assert.deepEqual([floor, maximum, bursted], [2, 4, '4-6'])
  assert.equal(floorHolder.rank, 1)
  assert.match(floorHolder.job, /^ƒ/)
  assert.deepEqual(warnings, [
    'ranks 4-6 are of another cluster (bursting, burst-0-0 to burst-0-2): not counted in sizes and nodes, never ' +
      'drained, and jobs there keep no pod',
  ])
  assert.deepEqual(await Promise.all(['node_total_count', 'node_up_count'].map(get)), ['4', '2'])
  assert.ok(instance.nodes.every(({ bursted, drain }) => !bursted || drain === undefined))
})

test('where the hosts are not in the order of the pods, sizes are errors with the cure', async (t) => {
  const hosts = ['flux-sample-0', 'flux-sample-2', 'flux-sample-1']
  const { explain, get } = await start(t, { maxSize: 4, hosts })
  const { summary, desired, floor, unknowns } = await explain()
  const reason =
    'rank 1 is on host flux-sample-2, not in pod flux-sample-1, so a size does not say which ranks stay: list the ' +
    'pods flux-sample-[0-…] first and in their order in the hosts of Flux (spec.flux.bursting.hostlist or ' +
    'spec.flux.brokerConfig)'
  assert.deepEqual([summary, desired, floor], [`desired unknown: ${reason}`, null, null])
  assert.deepEqual(unknowns, [`the size: ${reason}`])
  assert.equal(await get('node_desired_count'), 503)
  assert.equal(await get('node_floor_count'), 503)
  assert.equal(await get('node_up_count'), '4')
  assert.equal(await get('job_wait_seconds_max'), '0')
})

test('where hosts say nothing of pods, sizes are as without hosts, and a warning says so', async (t) => {
  const hosts = ['vm', 'vm', 'vm', 'vm']
  const { explain, get } = await start(t, { maxSize: 4, hosts })
  const { warnings, floor } = await explain()
  assert.deepEqual(warnings, [
    'every rank of R is on host vm: rank i is taken for the pod of index i',
  ])
  assert.equal(floor, 4)
  assert.equal(await get('node_floor_count'), '4')
})
