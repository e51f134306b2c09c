// User-defined metrics from end to end: a file that comes and changes, a simulated broker, and what the sidecar answers.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { readConfig } from '../../sidecar/config.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import { awaitedLog } from '../support/awaited-log.ts'
import { createTestCluster, TEST_PACE } from '../support/cluster.ts'
import { ask } from '../support/https.ts'
import { mountFile } from '../support/mounted-files.ts'

const METRICS = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/metrics'

const RELOAD_MS = 2_000

const LOADED = 'loaded user metrics'

const FILE = `
metrics:
  - name: widest_pending_count
    help: Nodes of the widest pending job
    unit: nodes
    expression: (pending.filter(job, has(job.nodes)).map(job, job.nodes) + [0]).max()
  - name: pending_gpus
    help: GPUs that pending jobs ask for
    unit: gpus
    expression: pending.map(job, job.gpus).sum()
  - name: misspelt
    help: No such thing
    unit: nodes
    expression: nodes.upp
`

/** A sidecar, a guest of a broker with two jobs that wait, with a file of metrics that is not there yet. */
async function start(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const flux = await createTestCluster(t, { gpusPerNode: 2 })
  flux.instance.resize(4)
  flux.instance.submit({ nodes: 4 })
  flux.instance.submit({ nodes: 2 })
  flux.instance.submit({ nodes: 3 })
  await flux.startBroker({ role: 'guest' })
  const { path, put } = await mountFile(t, 'metrics.yaml')
  const read = readConfig({
    FLUX_URI: `local://${flux.path}`,
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    METRICS_FILE: path,
  })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { log, lines, logged } = awaitedLog()
  const fresh = logged('stale → fresh: read Flux')
  const sidecar = await startSidecar(read.config, { log, version: '1.2.3', pace: TEST_PACE })
  t.after(() => sidecar.close({ lingerMs: 0 }))
  await fresh
  return {
    path,
    lines,
    /** Changes the file, and waits until that has been noticed. */
    swap: async (text: string) => {
      await put(text)
      const loaded = logged(LOADED)
      t.mock.timers.tick(RELOAD_MS)
      await loaded
    },
    /** The value, or why there is none. */
    get: async (name: string) => {
      const { status, text } = await ask(sidecar.port, `${METRICS}/${name}`)
      const body = JSON.parse(text)
      return status === 200 ? body.items[0].value : [status, body.message]
    },
  }
}

test('a sidecar serves the metrics of a file that comes after its start', async (t) => {
  const { path, lines, swap, get } = await start(t)
  const [first = ''] = lines.filter((line) => line.includes('METRICS_FILE'))
  assert.match(first, /"msg":"no user metrics: the file cannot be used"/)
  assert.ok(first.includes(path))
  assert.equal((await get('widest_pending_count'))[0], 404)

  await swap(FILE)
  assert.equal(await get('widest_pending_count'), '3')
  assert.deepEqual((await get('misspelt'))[0], 404)
  assert.equal(lines.filter((line) => line.includes(`${path}:14:23: metric`)).length, 1)
  const [status, message] = await get('pending_gpus')
  assert.equal(status, 503)
  assert.match(message, /^Cannot read pending_gpus: Flux does not show guests how many GPUs/)

  await swap(FILE.replace('nodes.upp', 'nodes.up'))
  assert.equal(await get('misspelt'), '4')
})
