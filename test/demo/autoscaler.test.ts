import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createLogger } from '#serving/log.ts'
import { readConfig } from '../../sidecar/config.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import { Autoscaler, demoHpaSpec, METRIC } from './autoscaler.ts'
import { startDemoCluster } from './cluster.ts'
import { readMetric } from './metrics.ts'

/** Starts a real sidecar, which runs until the test ends. Returns its port. */
async function serve(t: TestContext, uri: string): Promise<number> {
  const result = readConfig({ FLUX_URI: uri, LISTEN_PORT: '0', LISTEN_ADDRESS: '127.0.0.1' })
  assert.equal(result.kind, 'config')
  const log = createLogger('silent')
  const sidecar = await startSidecar(result.config, { log, version: '1.2.3' })
  t.after(() => sidecar.close({ lingerMs: 0 }))
  return sidecar.port
}

test('demoHpaSpec is the recommended HPA, with shorter times', () => {
  const { minReplicas, maxReplicas, metrics, behavior } = demoHpaSpec(2, 16)
  assert.deepEqual([minReplicas, maxReplicas], [2, 16])
  const [metric] = metrics
  assert.equal(metric?.type === 'Object' && metric.object.metric.name, METRIC)
  assert.deepEqual(behavior?.scaleUp, {
    stabilizationWindowSeconds: 0,
    policies: [{ type: 'Pods', value: 16, periodSeconds: 15 }],
    tolerance: 0,
  })
  assert.deepEqual(behavior?.scaleDown, {
    stabilizationWindowSeconds: 6,
    policies: [{ type: 'Percent', value: 50, periodSeconds: 6 }],
    tolerance: 0,
  })
})

test('Autoscaler holds the size while there is no broker', async (t) => {
  const port = await serve(t, 'local:///nowhere/local')
  const { decision, why } = await new Autoscaler(port, demoHpaSpec(2, 16)).sync(5)
  assert.deepEqual([decision.replicas, decision.reason, why], [5, 'hold: no metric', undefined])
})

test('Autoscaler grows the cluster for jobs that wait, and says why', async (t) => {
  // Jobs of 4 nodes at each tick.
  const cluster = await startDemoCluster(() => 0)
  t.after(() => cluster.close())
  const port = await serve(t, cluster.uri)
  const isWanted = async () => {
    const answer = await readMetric(port, METRIC)
    return answer.kind === 'value' && answer.value === cluster.maxSize
  }
  while (!(await isWanted())) await pause(50)
  const { decision, why } = await new Autoscaler(port, demoHpaSpec(2, 16)).sync(cluster.size)
  assert.deepEqual([decision.replicas, decision.reason], [16, 'grow to 16'])
  assert.match(why ?? '', /^desired 16: \d+ pending jobs? needs? \d+ nodes/)
  cluster.resize(decision.replicas)
  assert.equal(cluster.size, 16)
  assert.equal(cluster.killed, 0)
})
