// From an annotation to a MiniCluster that an HPA resizes, in the steps of a user, without manual work.
import assert from 'node:assert/strict'
import type { V1Pod } from '@kubernetes/client-node'
import { formatQuantity, parseQuantity } from '../../webhook/objects/quantity.ts'
import { activeJobsHpa, cpuHpa } from './support/autoscalers.ts'
import { withEnvironment } from './support/cases.ts'
import { remove } from './support/cluster.ts'
import { fetchDirectly } from './support/direct.ts'
import type { Environment } from './support/environment.ts'
import { run } from './support/installation.ts'
import { kubectl } from './support/kubectl.ts'
import { API_SERVICES, ENABLED, MINICLUSTER, miniCluster } from './support/manifests.ts'
import { serveCpuMetrics } from './support/metrics-server.ts'
import { isInjected } from './support/pods.ts'
import { eventually, holds } from './support/wait.ts'
import { webhookLog } from './support/webhook.ts'

const OTHER = 'flux-other'
const LEGACY = 'flux-legacy'
const HELPED = 'flux-helped'
const FITTED = 'flux-fitted'
const REFUSED = 'flux-refused'

async function describeMiniCluster(
  { namespace }: Environment,
  name = MINICLUSTER,
): Promise<string> {
  return run(['describe', 'minicluster', name, `--namespace=${namespace}`])
}

/** Deletes the lead broker's pod and waits for a new one that is ready. */
async function recreateLead(environment: Environment): Promise<V1Pod> {
  const before = await environment.lead()
  await run(['delete', 'pod', before, `--namespace=${environment.namespace}`, '--wait=false'])
  await holds('another index-0 pod', async () => {
    const [pod] = await environment.pods()
    return pod?.metadata?.name !== before
  })
  await environment.readyPods(2)
  const [pod] = await environment.pods()
  assert.ok(pod !== undefined)
  return pod
}

async function podsOf(
  { cluster, namespace }: Environment,
  name: string,
): Promise<readonly V1Pod[]> {
  const labelSelector = `job-name=${name}`
  return (await cluster.core.listNamespacedPod({ namespace, labelSelector })).items
}

/** The least CPU limit that a broker needs to start soon, and less than the sidecar's usual one. */
function limitRange(namespace: string) {
  return {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'small', namespace },
    spec: {
      limits: [
        {
          type: 'Container',
          // The client's name of `default`.
          _default: { cpu: '400m', memory: '128Mi' },
          defaultRequest: { cpu: '10m', memory: '32Mi' },
          max: { cpu: '500m', memory: '300Mi' },
          maxLimitRequestRatio: { cpu: '40', memory: '8' },
        },
      ],
    },
  }
}

/** A ResourceQuota that leaves this much memory beside the pods that are there. */
async function limitMemory(
  { cluster, namespace }: Environment,
  { leaving }: { readonly leaving: string },
) {
  const key = 'limits.memory'
  const metadata = { name: 'memory', namespace }
  const quotaOf = (limit: string) => ({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata,
    spec: { hard: { [key]: limit } },
  })
  const status = async () => (await cluster.core.readNamespacedResourceQuota(metadata)).status
  await cluster.objects.create(quotaOf('1Ti'))
  const used = await eventually('its use', async () => (await status())?.used?.[key])
  const leave = async (amount: string) => {
    const hard = formatQuantity('memory', thousandths(used) + thousandths(amount))
    await cluster.objects.patch(quotaOf(hard))
    await holds('the new limit', async () => {
      const counted = (await status())?.hard?.[key]
      return counted !== undefined && thousandths(counted) === thousandths(hard)
    })
  }
  await leave(leaving)
  return { object: quotaOf(leaving), leave }
}

function thousandths(quantity: string): bigint {
  return parseQuantity(quantity) ?? assert.fail(`cannot read ${quantity}`)
}

async function isComplete({ cluster, namespace }: Environment, name: string): Promise<boolean> {
  const { status } = await cluster.batch.readNamespacedJob({ namespace, name })
  return (status?.conditions ?? []).some((is) => is.type === 'Complete' && is.status === 'True')
}

withEnvironment(
  'injection, from the annotation to the HPA',
  {
    'a MiniCluster without the annotation is left as it is': async (environment) => {
      assert.deepEqual((await environment.pods()).map(isInjected), [false, false])
      const reviewed = (await webhookLog()).filter(
        ({ namespace, reason }) => namespace === environment.namespace && reason === 'NotEnabled',
      )
      assert.equal(reviewed.length, 1)
    },

    'a user who annotates it sees what is wrong, and when it takes effect': async (environment) => {
      const annotations = Object.entries(ENABLED).map(([key, value]) => `${key}=${value}`)
      const { code, stderr } = await kubectl([
        'annotate',
        'minicluster',
        MINICLUSTER,
        `--namespace=${environment.namespace}`,
        ...annotations,
        'flux-metrics/log-levle=debug',
      ])
      assert.equal(code, 0)
      assert.match(stderr, /^Warning: flux-metrics\/log-levle: unknown/m)
      assert.match(stderr, /^Warning: flux-metrics\/enabled: The metrics sidecar starts when/m)
      // Fluxion's defaults, which the MiniCluster has, defeat autoscaling.
      assert.match(stderr, /^Warning: spec\.flux\.scheduler\.queuePolicy: .* set conservative$/m)
      assert.match(stderr, /^Warning: spec\.containers\.environment: .*match-policy=lonode$/m)
      await holds('an event', async () =>
        /Normal +MetricsPending .*when the index-0 pod is created again/.test(
          await describeMiniCluster(environment),
        ),
      )
      await run([
        'annotate',
        'minicluster',
        MINICLUSTER,
        `--namespace=${environment.namespace}`,
        'flux-metrics/log-levle-',
      ])
    },

    'the recreated index-0 pod runs with the sidecar, index 1 without': async (environment) => {
      const pod = await recreateLead(environment)
      assert.ok(isInjected(pod))
      const { labels, annotations } = pod.metadata ?? {}
      assert.equal(labels?.['api-server'], 'custom-metrics')
      assert.equal(labels?.['flux-metrics/minicluster'], MINICLUSTER)
      assert.match(annotations?.['flux-metrics/injected'] ?? '', /^\d+\.\d+\.\d+$/)
      const sidecar = pod.spec?.initContainers?.at(-1)
      assert.equal(sidecar?.restartPolicy, 'Always')
      const mount = sidecar?.volumeMounts?.find(({ mountPath }) => mountPath === '/mnt/flux')
      assert.deepEqual([mount?.name, mount?.readOnly], ['flux-view', true])
      const [, other] = await environment.pods()
      assert.ok(other !== undefined && !isInjected(other))
      await holds('an event', async () =>
        /Normal +MetricsInjected .*Added container "flux-metrics"/.test(
          await describeMiniCluster(environment),
        ),
      )
      await holds('an event about the scheduler', async () =>
        /Warning +MetricsScheduler .*queuePolicy: .*match-policy=lonode/.test(
          await describeMiniCluster(environment),
        ),
      )
    },

    'another MiniCluster without the annotation is not changed': async (environment) => {
      const { cluster, namespace } = environment
      const other = miniCluster(namespace, { size: 2, maxSize: 2, name: OTHER })
      await cluster.objects.create(other)
      const pods = await eventually('its pods', async () => {
        const found = await podsOf(environment, OTHER)
        return found.length === 2 ? found : undefined
      })
      assert.deepEqual(pods.map(isInjected), [false, false])
      await remove(cluster, other)
    },

    'the sidecar also runs as an ordinary container beside its broker': async (environment) => {
      const { cluster, namespace } = environment
      const annotations = { ...ENABLED, 'flux-metrics/native-sidecar': 'false' }
      const legacy = miniCluster(namespace, { size: 1, maxSize: 1, name: LEGACY, annotations })
      await cluster.objects.create(legacy)
      const pod = await eventually('its pod', async () => {
        const [found] = await podsOf(environment, LEGACY)
        return found?.status?.phase === 'Running' ? found : undefined
      })
      assert.deepEqual(
        pod.spec?.containers.map(({ name }) => name),
        [LEGACY, 'flux-metrics'],
      )
      const control = `${pod.metadata?.name}:8051/proxy`
      await holds('a broker', async () => {
        const path = `/api/v1/namespaces/${namespace}/pods/${control}`
        return (await kubectl(['get', '--raw', `${path}/state`])).code === 0
      })
      await holds('a sidecar that has read it', async () => {
        const name = pod.metadata?.name ?? ''
        const args = ['logs', name, `--namespace=${namespace}`, '--container=flux-metrics']
        return /stale → fresh/.test(await run(args))
      })
      // The sidecar waits for a minute before it ends with its broker. Other cases run meanwhile.
      await kubectl(
        ['create', '--raw', `/api/v1/namespaces/${namespace}/pods/${control}/shutdown`, '-f', '-'],
        '{}',
      )
    },

    'a helper may stand before the broker': async (environment) => {
      const { cluster, namespace } = environment
      const helped = miniCluster(namespace, {
        size: 1,
        maxSize: 1,
        name: HELPED,
        user: 0,
        helperFirst: true,
        annotations: {
          ...ENABLED,
          'flux-metrics/drain': 'true',
          'flux-metrics/run-as-user': '0',
        },
      })
      await cluster.objects.create(helped)
      const pod = await eventually('its pod', async () => {
        const [found] = await podsOf(environment, HELPED)
        return found?.status?.phase === 'Running' ? found : undefined
      })
      assert.deepEqual(
        pod.spec?.containers.map(({ name }) => name),
        ['helper', HELPED],
      )
      // Only with the UID of the broker, not with that of the helper, may the sidecar drain.
      const sidecar = pod.spec?.initContainers?.at(-1)
      assert.equal(sidecar?.env?.find(({ name }) => name === 'DRAIN')?.value, 'true')
      await holds('a sidecar that has read the broker', async () => {
        const args = ['logs', pod.metadata?.name ?? '', `--namespace=${namespace}`]
        return /stale → fresh/.test(await run([...args, '--container=flux-metrics']))
      })
      await holds('an event that no HPA reads its metrics', async () =>
        /Warning +MetricsUnreached /.test(await describeMiniCluster(environment, HELPED)),
      )
      await remove(cluster, helped)
    },

    'where policies limit resources, a sidecar that fits is added, and the user is told of another':
      async (environment) => {
        const { cluster, namespace } = environment
        const small = (name: string) =>
          miniCluster(namespace, { size: 1, maxSize: 1, name, annotations: ENABLED })
        const running = async (name: string) =>
          eventually('its pod', async () => {
            const [found] = await podsOf(environment, name)
            return found?.status?.phase === 'Running' ? found : undefined
          })
        await cluster.objects.create(limitRange(namespace))
        // The broker has a limit of 256Mi: there is no room for the sidecar beside it.
        const quota = await limitMemory(environment, { leaving: '300Mi' })
        await cluster.objects.create(small(REFUSED))
        assert.ok(!isInjected(await running(REFUSED)))
        await holds('an event with the policy', async () =>
          /Warning +MetricsNotInjected .*LimitsDoNotFit: .*ResourceQuota "memory"/.test(
            await describeMiniCluster(environment, REFUSED),
          ),
        )
        await quota.leave('2Gi')
        await cluster.objects.create(small(FITTED))
        const sidecar = (await running(FITTED)).spec?.initContainers?.at(-1)
        const { requests, limits } = sidecar?.resources ?? {}
        assert.deepEqual(requests, { cpu: '25m', memory: '64Mi' })
        assert.deepEqual(limits, { cpu: '500m', memory: '128Mi' })
        for (const name of [REFUSED, FITTED]) await remove(cluster, small(name))
        await remove(cluster, quota.object)
        await remove(cluster, limitRange(namespace))
      },

    'the APIServices become Available by their caBundle alone': async (environment) => {
      await environment.serving()
      for (const name of API_SERVICES) {
        const spec = JSON.parse(await run(['get', 'apiservice', name, '-o=jsonpath={.spec}']))
        assert.equal(spec.insecureSkipTLSVerify, undefined, name)
        assert.match(Buffer.from(spec.caBundle, 'base64').toString(), /BEGIN CERTIFICATE/, name)
      }
    },

    "a client without the front proxy's certificate gets 401": async (environment) => {
      const path = '/apis/custom.metrics.k8s.io/v1beta2'
      assert.equal((await fetchDirectly(environment, path)).code, 401)
    },

    'an HPA resizes the MiniCluster': async (environment) => {
      const hpa = activeJobsHpa(environment.namespace)
      await environment.cluster.objects.create(hpa)
      for (let job = 0; job < 3; job += 1) await environment.post('/jobs', { nodes: 1 })
      await holds('size 3', async () => (await environment.miniCluster()).spec.size === 3)
      await environment.readyPods(3)
      await environment.post('/jobs/cancel-all')
      await holds('size 2', async () => (await environment.miniCluster()).spec.size === 2)
      await environment.readyPods(2)
      await remove(environment.cluster, hpa)
    },

    'an HPA on CPU finds a request in every container': async (environment) => {
      await using _server = await serveCpuMetrics(environment)
      const hpa = cpuHpa(environment.namespace)
      await environment.cluster.objects.create(hpa)
      const name = hpa.metadata?.name ?? ''
      const condition = await eventually('a sync of the HPA', async () => {
        const { status } = await environment.hpa(name)
        return status?.conditions?.find(({ type }) => type === 'ScalingActive')
      })
      assert.equal(condition.reason, 'ValidMetricFound', condition.message)
      await remove(environment.cluster, hpa)
    },

    "kubectl logs and exec reach the user's container without -c": async (environment) => {
      const scope = `--namespace=${environment.namespace}`
      const lead = await environment.lead()
      assert.match(await run(['logs', lead, scope]), /rank 0 of 4/)
      const command = await run(['exec', lead, scope, '--', 'cat', '/proc/1/cmdline'])
      assert.match(command, /broker-main/)
    },

    'after a deleted index-0 pod the next one has the sidecar': async (environment) => {
      assert.ok(isInjected(await recreateLead(environment)))
      await environment.serving()
    },

    'the sidecar that is an ordinary container has ended with its broker': async (environment) => {
      await holds('a complete Job', async () => isComplete(environment, LEGACY))
    },

    'the log of the webhook has one line for each review, with the reason': async (environment) => {
      const reviewed = (await webhookLog()).filter(
        ({ msg, namespace }) => msg === 'reviewed' && namespace === environment.namespace,
      )
      const uids = reviewed.map(({ uid }) => uid)
      assert.equal(new Set(uids).size, uids.length)
      const reasons = reviewed.map(({ decision, reason }) => `${decision} ${reason}`)
      assert.deepEqual(
        ['skip NotEnabled', 'inject Enabled'].map((it) => reasons.filter((is) => is === it).length),
        [2, 5],
      )
    },

    'the Job completes although the sidecar runs': async (environment) => {
      await environment.post('/shutdown')
      await holds('a complete Job', async () => isComplete(environment, MINICLUSTER))
    },
  },
  { annotations: {} },
)
