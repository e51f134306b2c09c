// The gateway in front of another adapter, on a real cluster: adopted, used together, killed, and given back, while the HPAs of both
// go on.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { V2MetricSpec } from '@kubernetes/client-node'
import * as v from 'valibot'
import { METRICS_SERVICE } from '../../webhook/contract.ts'
import { whyNoAdapter } from './support/adapter-program.ts'
import { Adopted, QUEUE, SHIPPER, WORKER } from './support/adopted.ts'
import { activeJobsHpa, externalHpa } from './support/autoscalers.ts'
import { withShared } from './support/cases.ts'
import { createNamespace, remove } from './support/cluster.ts'
import { run, WEBHOOK_NAMESPACE } from './support/installation.ts'
import { getRaw, getRefused, kubectl } from './support/kubectl.ts'
import { API_SERVICES, EXTERNAL_GROUP, GROUP } from './support/manifests.ts'
import { metricPath, scalingActive, sizeOf, submitJobs } from './support/members.ts'
import { MetricLoad } from './support/metric-load.ts'
import { firstItem } from './support/metric-values.ts'
import { Overlay } from './support/overlay.ts'
import { holds } from './support/wait.ts'

const REQUESTS_PER_SECOND = 50
const VALID = 'ValidMetricFound'

const QUEUE_METRIC: V2MetricSpec = {
  type: 'Object',
  object: {
    target: { type: 'AverageValue', averageValue: '1' },
    describedObject: { apiVersion: 'v1', kind: 'Service', name: QUEUE.service },
    metric: { name: QUEUE.metric },
  },
}

/** One of the adapter's constants: 42. */
function externalMetric(averageValue: string): V2MetricSpec {
  const metric = { name: 'my-external-metric', selector: { matchLabels: { foo: 'bar' } } }
  return { type: 'External', external: { target: { type: 'AverageValue', averageValue }, metric } }
}

function queuePath({ adapter }: Adopted, version = 'v1beta2'): string {
  const { service, metric } = QUEUE
  return `/apis/${GROUP}/${version}/namespaces/${adapter.namespace}/services/${service}/${metric}`
}

function externalPath({ adapter }: Adopted): string {
  const path = `namespaces/${adapter.namespace}/my-external-metric`
  return `/apis/${EXTERNAL_GROUP}/v1beta1/${path}?labelSelector=foo%3Dbar`
}

/** Acts while the adapter's metrics are asked for all the time. Every answer is the adapter's. */
async function underLoad(adopted: Adopted, act: () => Promise<unknown>): Promise<void> {
  const has = (value: string) => (body: string) => body.includes(`"value":"${value}"`)
  const probes = [
    { path: queuePath(adopted), isRight: has('3') },
    { path: queuePath(adopted, 'v1beta1'), isRight: has('3') },
    { path: externalPath(adopted), isRight: has('42') },
  ]
  const load = await MetricLoad.start(adopted.cluster, probes, REQUESTS_PER_SECOND)
  try {
    await act()
  } finally {
    await load.stop()
  }
  assert.deepEqual([...new Set([...load.failures, ...load.unreached])], [])
  assert.ok(load.answered > REQUESTS_PER_SECOND, `${load.answered} answers`)
}

async function has(adopted: Adopted, name: string, reason: string): Promise<void> {
  const { namespace } = adopted.adapter
  await holds(`${reason} of HPA ${name}`, async () => {
    return (await scalingActive(adopted.cluster, { namespace, name }))?.reason === reason
  })
}

const ResourceList = v.object({ resources: v.array(v.object({ name: v.string() })) })

/** The names in discovery. */
async function listed(groupVersion: string): Promise<readonly string[]> {
  const { resources } = v.parse(ResourceList, await getRaw(`/apis/${groupVersion}`))
  return resources.map(({ name }) => name)
}

let overlay: Overlay | undefined

function theOverlay(): Overlay {
  return overlay ?? assert.fail('nothing was adopted')
}

const obstacle = await whyNoAdapter()
if (obstacle !== undefined) it('the gateway in front of another adapter', { skip: obstacle })
else {
  withShared('the gateway in front of another adapter', () => Adopted.create(), {
    'the adapter scales a Deployment, and the gateway leaves its APIServices alone': async (
      adopted,
    ) => {
      const { adapter } = adopted
      await adapter.set(QUEUE, 2)
      await adopted.scale(WORKER, QUEUE_METRIC)
      await adopted.scale(SHIPPER, externalMetric('21'))
      await adopted.hasReplicas(WORKER, 2)
      await adopted.hasReplicas(SHIPPER, 2)
      await holds('an Event', async () => {
        const described = await run(['describe', 'apiservice', API_SERVICES[0] ?? ''])
        return /Warning +NotPublished .*flux-metrics adopt/.test(described)
      })
      assert.equal(firstItem(await getRaw(queuePath(adopted))).value, '2')
    },

    'while the gateway takes over, no request for a metric of the adapter fails': async (
      adopted,
    ) => {
      await adopted.adapter.set(QUEUE, 3)
      overlay = await Overlay.write(adopted.installation)
      assert.match(overlay.output, /^v1beta1\.custom\.metrics\.k8s\.io +\S+\/\S+:443$/m)
      await underLoad(adopted, async () => {
        await theOverlay().apply()
        await adopted.installation.rolledOut()
        await adopted.published()
        await pause(2_000)
      })
      await adopted.hasReplicas(WORKER, 3)
      await has(adopted, WORKER, VALID)
      await has(adopted, SHIPPER, VALID)
    },

    'HPAs on metrics of both scale up and down': async (adopted) => {
      const { cluster, adapter, member } = adopted
      const hpa = activeJobsHpa(member.namespace)
      await cluster.objects.create(hpa)
      await submitJobs(cluster, member, 4)
      await adapter.set(QUEUE, 1)
      await holds('size 4', async () => (await sizeOf(cluster, member)) === 4)
      await adopted.hasReplicas(WORKER, 1)
      await submitJobs(cluster, member, 0)
      await adapter.set(QUEUE, 4)
      await holds('size 2', async () => (await sizeOf(cluster, member)) === 2)
      await adopted.hasReplicas(WORKER, 4)
      await remove(cluster, hpa)
    },

    'HPAs on external metrics of both scale up and down': async (adopted) => {
      const { cluster, member } = adopted
      // A job that starts on a rank whose pod is still ending is lost with it.
      await holds('two ranks', async () => {
        return firstItem(await getRaw(metricPath(member, 'node_up_count'))).value === '2'
      })
      const hpa = externalHpa(member.namespace)
      await cluster.objects.create(hpa)
      await submitJobs(cluster, member, 3)
      await adopted.scale(SHIPPER, externalMetric('14'))
      await holds('size 3', async () => (await sizeOf(cluster, member)) === 3)
      await adopted.hasReplicas(SHIPPER, 3)
      await submitJobs(cluster, member, 0)
      await adopted.scale(SHIPPER, externalMetric('42'))
      await holds('size 2', async () => (await sizeOf(cluster, member)) === 2)
      await adopted.hasReplicas(SHIPPER, 1)
      await remove(cluster, hpa)
    },

    'discovery has the metrics of both, and every API can be discovered': async () => {
      const external = await listed(`${EXTERNAL_GROUP}/v1beta1`)
      assert.ok(external.includes('node_desired_count'), external.join())
      assert.ok(external.includes('externalmetrics'), external.join())
      const custom = await listed(`${GROUP}/v1beta2`)
      assert.ok(custom.includes('miniclusters.flux-framework.org/node_up_count'), custom.join())
      const discovered = await kubectl(['api-resources', '--cached=false'])
      assert.deepEqual([discovered.code, discovered.stderr], [0, ''])
    },

    "the adapter's own Service has the name of the prototype's, and its metrics": async (
      adopted,
    ) => {
      const { adapter, member } = adopted
      const metric = { service: METRICS_SERVICE, metric: 'requests' }
      await adapter.set(metric, 7)
      const path = (namespace: string, name: string) =>
        `/apis/${GROUP}/v1beta2/namespaces/${namespace}/services/${METRICS_SERVICE}/${name}`
      assert.equal(firstItem(await getRaw(path(adapter.namespace, 'requests'))).value, '7')
      assert.equal(firstItem(await getRaw(path(member.namespace, 'node_total_count'))).value, '4')
      assert.match(await getRefused(path(adapter.namespace, 'node_up_count')), /no MiniCluster/)
    },

    'while the adapter is killed only its metrics fail, and namespaces end': async (adopted) => {
      const { cluster, adapter, member } = adopted
      await adapter.kill()
      await has(adopted, WORKER, 'FailedGetObjectMetric')
      await has(adopted, SHIPPER, 'FailedGetExternalMetric')
      for (const path of [queuePath(adopted), externalPath(adopted)]) {
        const refused = await getRefused(path)
        assert.match(refused, /currently unable to handle the request/)
        assert.match(refused, new RegExp(`Service ${adapter.namespace}/${METRICS_SERVICE}`))
      }
      assert.equal(firstItem(await getRaw(metricPath(member, 'node_total_count'))).value, '4')
      await adopted.hasReplicas(WORKER, 4)
      const name = await createNamespace(cluster)
      await remove(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
      await adapter.restart()
      await adapter.set(QUEUE, 2)
      await adopted.hasReplicas(WORKER, 2)
      await has(adopted, SHIPPER, VALID)
    },

    'on the way back no request for a metric of the adapter fails, and nothing is left': async (
      adopted,
    ) => {
      const { adapter, member, cluster } = adopted
      await adapter.set(QUEUE, 3)
      await underLoad(adopted, async () => {
        await theOverlay().giveBack()
        await theOverlay().uninstall()
      })
      await adopted.hasReplicas(WORKER, 3)
      await adapter.set(QUEUE, 1)
      await adopted.hasReplicas(WORKER, 1)
      await has(adopted, SHIPPER, VALID)
      await getRefused(metricPath(member, 'node_up_count'))
      const kinds = 'clusterroles,clusterrolebindings,mutatingwebhookconfigurations,namespaces'
      const found = (await run(['get', kinds, '-o=name'])).split('\n')
      const ours = /\/flux-metrics(-webhook|-gateway|-sidecar|$)/
      assert.deepEqual(
        found.filter((one) => ours.test(one)),
        [],
      )
      assert.ok(!found.includes(`namespace/${WEBHOOK_NAMESPACE}`))
      const name = await createNamespace(cluster)
      await remove(cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    },
  })
}
