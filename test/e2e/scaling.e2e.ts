// The main purpose, on a real cluster: an HPA on our metrics resizes a MiniCluster, and holds its size without them.
import assert from 'node:assert/strict'
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { activeJobsHpa, externalHpa, prototypeHpa } from './support/autoscalers.ts'
import { withEnvironment } from './support/cases.ts'
import { remove } from './support/cluster.ts'
import type { Environment } from './support/environment.ts'
import { ENABLED, EXTERNAL_GROUP, GROUP, MINICLUSTER } from './support/manifests.ts'
import { reason, scalingActive, size } from './support/scaling.ts'
import { eventually, holds } from './support/wait.ts'

const PROTOTYPE = 'flux-sample-hpa'
const ACTIVE_JOBS = 'flux-sample-jobs'
const EXTERNAL = 'flux-sample-external'

/** How often HPAs of the namespace failed to read their metric. */
async function failures({ cluster, namespace }: Environment): Promise<number> {
  const { items } = await cluster.core.listNamespacedEvent({
    namespace,
    fieldSelector: 'reason=FailedGetObjectMetric',
  })
  return items.reduce((sum, event) => sum + (event.count ?? 1), 0)
}

/** Changes the target of the prototype's HPA. */
async function setTarget({ cluster, namespace }: Environment, target: number): Promise<void> {
  const { metrics } = prototypeHpa(namespace, target).spec ?? {}
  await cluster.autoscaling.patchNamespacedHorizontalPodAutoscaler(
    { name: PROTOTYPE, namespace, body: { spec: { metrics } } },
    setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
  )
}

async function brokerRestarts(environment: Environment): Promise<number> {
  const [pod] = await environment.pods()
  const status = pod?.status?.containerStatuses?.find(({ name }) => name === MINICLUSTER)
  if (status === undefined) throw new Error('Cannot find the lead broker: no status')
  return status.restartCount
}

withEnvironment(
  'autoscaling a MiniCluster',
  {
    'a MiniCluster has status.size 0 before its first resize': async (environment) => {
      assert.equal((await environment.miniCluster()).status?.size, 0)
    },

    "the prototype's HPA scales up: more nodes than its target": async (environment) => {
      await environment.cluster.objects.create(prototypeHpa(environment.namespace, 1))
      await size(environment, 4)
      await reason(environment, PROTOTYPE, 'ValidMetricFound')
      assert.equal((await environment.miniCluster()).status?.size, 4)
    },

    "the prototype's HPA scales down: fewer nodes than its target": async (environment) => {
      await setTarget(environment, 8)
      await size(environment, 2)
      await reason(environment, PROTOTYPE, 'ValidMetricFound')
      await remove(environment.cluster, prototypeHpa(environment.namespace, 8))
    },

    'an HPA on an external metric follows the jobs up and down': async (environment) => {
      await environment.cluster.objects.create(externalHpa(environment.namespace))
      await submit(environment, 3)
      await size(environment, 3)
      await reason(environment, EXTERNAL, 'ValidMetricFound')
      await environment.post('/jobs/cancel-all')
      await size(environment, 2)
      await remove(environment.cluster, externalHpa(environment.namespace))
    },

    'when the broker is killed, the HPA reports it and holds the size': async (environment) => {
      await environment.cluster.objects.create(activeJobsHpa(environment.namespace))
      await submit(environment, 3)
      await size(environment, 3)
      await environment.holdBroker()
      await environment.post('/kill')
      const condition = await eventually('condition FailedGetObjectMetric', async () => {
        const found = await scalingActive(environment, ACTIVE_JOBS)
        return found?.reason === 'FailedGetObjectMetric' ? found : undefined
      })
      assert.match(condition.message ?? '', /job_active_count.*Cannot read the state of Flux/)
      await holds('a second failed sync of the HPA', async () => (await failures(environment)) > 1)
      assert.equal((await environment.miniCluster()).spec.size, 3)
      assert.equal((await environment.pods()).length, 3)
    },

    'when the broker is back, with its old socket file still there, the HPA scales again': async (
      environment,
    ) => {
      await holds('a container restarted by the kubelet', async () => {
        return (await brokerRestarts(environment)) > 0
      })
      await environment.inLead('test', '-S', '/mnt/flux/config/run/flux/local')
      await environment.releaseBroker()
      await holds('the new broker', async () => (await environment.state()) !== undefined)
      await submit(environment, 4)
      await reason(environment, ACTIVE_JOBS, 'ValidMetricFound')
      await size(environment, 4)
      const [lead] = await environment.pods()
      const [sidecar] = (lead?.status?.initContainerStatuses ?? []).slice(-1)
      assert.deepEqual([sidecar?.name, sidecar?.restartCount], ['flux-metrics', 0])
    },

    'the API server logged no error about our group': async ({ log }, t) => {
      if (log === undefined) return t.skip("the API server's log cannot be read")
      assert.deepEqual(await log.errors(GROUP), [])
      assert.deepEqual(await log.errors(EXTERNAL_GROUP), [])
    },

    'the Job completes with the sidecar when the broker exits 0': async (environment) => {
      await remove(environment.cluster, activeJobsHpa(environment.namespace))
      await environment.post('/shutdown')
      const { namespace } = environment
      await holds('a complete Job', async () => {
        const { status } = await environment.cluster.batch.readNamespacedJob({
          namespace,
          name: MINICLUSTER,
        })
        return (
          status?.conditions?.some(
            ({ type, status: is }) => type === 'Complete' && is === 'True',
          ) === true
        )
      })
      for (const pod of await environment.pods()) assert.equal(pod.status?.phase, 'Succeeded')
    },

    'the log of the sidecar has all changes of state in under 30 lines': async (environment, t) => {
      const lines = await environment.sidecarLog()
      for (const line of lines) t.diagnostic(line)
      assert.ok(lines.length < 30, `${lines.length} lines`)
      // it served, read Flux, lost the broker, read the new one, and ended, in this order
      const expected = ['"serving"', 'stale → fresh', 'fresh → stale', 'stale → fresh', '"stopped"']
      let from = 0
      for (const part of expected) {
        const found = lines.findIndex((line, index) => index >= from && line.includes(part))
        assert.notEqual(found, -1, `${part} after line ${from}`)
        from = found + 1
      }
    },
  },
  { annotations: { ...ENABLED, 'flux-metrics/idle-grace-seconds': '0' } },
)

/** Cancels all jobs and submits this many jobs of one node each. */
async function submit(environment: Environment, count: number): Promise<void> {
  await environment.post('/jobs/cancel-all')
  for (let i = 0; i < count; i += 1) await environment.post('/jobs', { nodes: 1 })
}
