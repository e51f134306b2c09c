// The explanation from end to end: a simulated broker, the sidecar that reads it, and the output of `flux-metrics explain`.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { formatJobId } from '#flux/calls/job-id.ts'
import { readConfig } from '../../sidecar/config.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import { EXPLAIN } from '../../webhook/cli/explain/explain.ts'
import { awaitedLog } from '../support/awaited-log.ts'
import type { BrokerOptions } from '../support/broker.ts'
import { createTestCluster, TEST_PACE } from '../support/cluster.ts'
import { createMemoryIo } from '../webhook/cli/memory-io.ts'

/** Four ranks, three of them up: a job on rank 2, a job that waits for three nodes, a held job, and a job that is too wide. */
async function start(t: TestContext, broker: Partial<BrokerOptions>) {
  const { instance, path, startBroker } = await createTestCluster(t, { up: 3, gpusPerNode: 0 })
  const job = instance.submit({ placement: [{ ranks: [2], cores: [0] }], timeLimit: 3_600 })
  instance.submit({ nodes: 3 })
  instance.submit({ nodes: 1, urgency: 0 })
  instance.submit({ nodes: 5 })
  instance.drain([1], 'broken fan')
  await startBroker(broker)
  const read = readConfig({
    FLUX_URI: `local://${path}`,
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
  })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { log, lines, logged } = awaitedLog()
  const fresh = logged('stale → fresh: read Flux')
  const sidecar = await startSidecar(read.config, { log, version: '1.2.3', pace: TEST_PACE })
  t.after(() => sidecar.close({ lingerMs: 0 }))
  await fresh
  return {
    job,
    lines,
    /** Returns the output of `flux-metrics explain`. */
    explain: async (...flags: readonly string[]) => {
      const { io, written } = createMemoryIo()
      const url = `https://127.0.0.1:${sidecar.port}`
      assert.equal(await EXPLAIN.run(['--url', url, '--insecure', ...flags], io), 0, written.err)
      return written.out
    },
  }
}

test('flux-metrics explain and the log explain the size', async (t) => {
  const { explain, job, lines } = await start(t, { role: 'guest' })
  const summary =
    `desired 4: 1 pending job needs 3 nodes, up to rank 3; rank 2 runs job ${formatJobId(job.id)} of user 0, ` +
    'which ends within 60 min; R has no more than 4 nodes'
  const text = await explain()
  const [read = '', ...others] = text.trimEnd().split('\n').reverse()
  assert.match(read, /^read {5}\d+ s ago, at \d{4}-.*Z$/)
  assert.equal(
    others.reverse().join('\n').replace(/\n +/g, ' '),
    [
      summary,
      'nodes    present 3, desired 4, floor 3, demand 3, quorum 1, maximum 4',
      'pending  1 job for 3 nodes, 1 held, 1 infeasible',
      'warning  1 job is held (priority 0): it adds no demand; release it with flux job urgency',
      'warning  1 job asks for more than its queue has in R: it can never start; cancel it',
      'warning  rank 1 is drained, not by the sidecar ("broken fan"): no job starts there until flux resource undrain',
      'unknown  the constraints of pending jobs: Flux does not show this to guests: run the sidecar with the UID of the ' +
        'broker (annotation flux-metrics/run-as-user); a job that fits on free nodes and is not started gets more of them',
    ].join('\n'),
  )
  assert.equal(JSON.parse(await explain('--json')).summary, summary)
  assert.ok(lines.some((line) => JSON.parse(line).summary === summary))
})

test('flux-metrics explain names two cures if Flux hides jobs', async (t) => {
  const { explain } = await start(t, { role: 'guest', privateMode: true })
  const { desired, summary, unknowns } = JSON.parse(await explain('--json'))
  const reason =
    'Flux hides jobs from the sidecar, which is a guest (access.private-mode): unset this setting in the broker ' +
    'configuration, or run the sidecar with the UID of the broker (annotation flux-metrics/run-as-user)'
  assert.deepEqual([desired, summary], [null, `desired unknown: ${reason}`])
  assert.deepEqual(unknowns, [
    `the size, the demand, the job counts and the refused jobs: ${reason}`,
  ])
})
