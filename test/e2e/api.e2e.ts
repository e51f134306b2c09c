// The aggregated API as clients of a real cluster see it: paths, discovery, authentication, the log of the API server.
import assert from 'node:assert/strict'
import { BUILTIN_METRICS } from '#metrics/catalog.ts'
import { createAuthority } from '../support/certificates.ts'
import { withEnvironment } from './support/cases.ts'
import { fetchDirectly } from './support/direct.ts'
import type { Environment } from './support/environment.ts'
import { getRaw, getRefused, kubectl } from './support/kubectl.ts'
import { GROUP, MINICLUSTER, SERVICE, VERSIONS } from './support/manifests.ts'
import { firstItem } from './support/metric-values.ts'
import { holds } from './support/wait.ts'

function metricsPath({ namespace }: Environment, rest: string, version = 'v1beta2'): string {
  return `/apis/${GROUP}/${version}/namespaces/${namespace}/${rest}`
}

withEnvironment(
  'the custom metrics API, through the API server',
  {
    'kubectl get --raw answers every path form in both versions': async (environment) => {
      const miniCluster = {
        kind: 'MiniCluster',
        namespace: environment.namespace,
        name: MINICLUSTER,
        apiVersion: 'flux-framework.org/v1alpha2',
      }
      const service = {
        kind: 'Service',
        namespace: environment.namespace,
        name: SERVICE,
        apiVersion: 'v1',
      }
      const namespaceReference = {
        kind: 'Namespace',
        name: environment.namespace,
        apiVersion: 'v1',
      }
      const forms = [
        { path: `miniclusters.flux-framework.org/${MINICLUSTER}`, object: miniCluster },
        { path: 'miniclusters.flux-framework.org/*', object: miniCluster },
        { path: `services/${SERVICE}`, object: service },
        { path: 'metrics', object: namespaceReference },
      ]
      for (const version of VERSIONS) {
        for (const { path, object } of forms) {
          const item = firstItem(
            await getRaw(metricsPath(environment, `${path}/node_up_count`, version)),
          )
          assert.equal(item.metric, 'node_up_count', path)
          assert.equal(item.value, '2', path)
          assert.deepEqual(item.describedObject, object, path)
        }
      }
    },

    'every metric of the catalog has a value or says why it has none': async (environment) => {
      const refused: string[] = []
      for (const { name } of BUILTIN_METRICS) {
        const path = metricsPath(environment, `services/${SERVICE}/${name}`)
        const { code, stdout, stderr } = await kubectl(['get', '--raw', path])
        if (code === 0) assert.match(firstItem(JSON.parse(stdout)).value, /^\d+m?$/, name)
        else refused.push(`${name}: ${stderr}`)
      }
      // The scheduler of a simulated broker never estimates the start of a job, and pods are known to the gateway alone.
      const [pods = '', start = '', ...others] = refused.sort().reverse()
      assert.deepEqual(others, [])
      assert.match(pods, /^node_unavailable_count: .*ServiceUnavailable/)
      assert.match(start, /^job_start_seconds: .*ServiceUnavailable.*no estimate/)
    },

    'the nodes add up: four in the resource set, two with a pod': async (environment) => {
      const counts: Record<string, number> = {}
      for (const state of ['total', 'up', 'down']) {
        counts[state] = await environment.metric(`node_${state}_count`)
      }
      assert.deepEqual(counts, { total: 4, up: 2, down: 2 })
    },

    'jobs are counted in total and by queue': async (environment) => {
      await environment.post('/jobs', { nodes: 1, queue: 'batch' })
      await environment.post('/jobs', { nodes: 1, queue: 'debug' })
      await environment.post('/jobs', { nodes: 2, queue: 'debug' })
      await holds('three active jobs', async () => {
        return (await environment.metric('job_active_count')) === 3
      })
      const counts = {
        running: await environment.metric('job_queue_state_run_count'),
        pending: await environment.metric('job_pending_count'),
        batch: await environment.metric('job_active_count', 'queue=batch'),
        debug: await environment.metric('job_active_count', 'queue=debug'),
        either: await environment.metric('job_active_count', 'queue in (batch,debug)'),
        free: await environment.metric('node_free_count'),
      }
      assert.deepEqual(counts, { running: 2, pending: 1, batch: 1, debug: 2, either: 3, free: 0 })
    },

    'a label selector chooses among MiniClusters': async (environment) => {
      const path = metricsPath(environment, 'miniclusters.flux-framework.org/*/node_up_count')
      firstItem(await getRaw(`${path}?labelSelector=hpa-selector%3D${MINICLUSTER}`))
      const none = await getRaw(`${path}?labelSelector=hpa-selector%3Dother`)
      assert.match(JSON.stringify(none), /"items":\[\]/)
    },

    'an unknown metric is refused, with the name of the nearest one': async (environment) => {
      const path = metricsPath(environment, `services/${SERVICE}/node_upp_count`)
      const refusal = await getRefused(path)
      assert.match(refusal, /NotFound/)
      assert.match(refusal, /node_upp_count/)
      assert.match(refusal, /node_up_count/)
    },

    'an unknown MiniCluster is refused': async (environment) => {
      const path = metricsPath(environment, 'miniclusters.flux-framework.org/other/node_up_count')
      assert.match(await getRefused(path), /NotFound/)
    },

    'a selector that cannot be read is refused': async (environment) => {
      const path = metricsPath(environment, `services/${SERVICE}/job_active_count`)
      assert.match(await getRefused(`${path}?metricLabelSelector=queue%3D%3D%3D`), /BadRequest/)
    },

    'a metric cannot be deleted': async (environment) => {
      const path = metricsPath(environment, `services/${SERVICE}/node_up_count`)
      const { code, stderr } = await kubectl(['delete', '--raw', path])
      assert.notEqual(code, 0)
      assert.match(stderr, /MethodNotAllowed/)
    },

    'discovery lists our group, in both versions': async () => {
      for (const version of VERSIONS) {
        const list = JSON.stringify(await getRaw(`/apis/${GROUP}/${version}`))
        assert.match(list, /"name":"services\/node_up_count"/)
      }
      const { stdout } = await kubectl(['api-versions'])
      for (const version of VERSIONS) assert.match(stdout, new RegExp(`^${GROUP}/${version}$`, 'm'))
    },

    'kubectl api-resources prints no error': async () => {
      const { code, stderr } = await kubectl(['api-resources', '--cached=false'])
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    },

    'the merged OpenAPI documents are served': async () => {
      const paths = JSON.stringify(await getRaw('/openapi/v3'))
      assert.match(paths, /"apis\/apps\/v1"/)
      for (const version of VERSIONS) await getRaw(`/openapi/v3/apis/${GROUP}/${version}`)
      await getRaw('/openapi/v2')
      const explained = await kubectl(['explain', 'job.spec.completions'])
      assert.deepEqual({ code: explained.code, stderr: explained.stderr }, { code: 0, stderr: '' })
    },

    'a user without rights gets 403 from the API server': async (environment) => {
      const path = metricsPath(environment, `services/${SERVICE}/node_up_count`)
      const refusal = await getRefused(path, ['--as=nobody'])
      assert.match(refusal, /Forbidden/)
      assert.match(refusal, /User "nobody" cannot get resource "services\/node_up_count"/)
    },

    'a direct call without the front-proxy certificate gets 401': async (environment) => {
      const path = metricsPath(environment, `services/${SERVICE}/node_up_count`)
      const headers = { 'X-Remote-User': 'system:admin', 'X-Remote-Group': 'system:masters' }
      const answer = await fetchDirectly(environment, path, { headers })
      assert.equal(answer.code, 401)
      assert.match(answer.body, /"kind":"Status"/)
    },

    'a direct call with a certificate of another authority gets 401': async (environment) => {
      const path = metricsPath(environment, `services/${SERVICE}/node_up_count`)
      const impostor = await createAuthority('front-proxy-ca')
      const client = await impostor.issue({
        commonName: 'front-proxy-client',
        extendedKeyUsage: ['clientAuth'],
      })
      const headers = { 'X-Remote-User': 'system:admin', 'X-Remote-Group': 'system:masters' }
      assert.equal((await fetchDirectly(environment, path, { client, headers })).code, 401)
    },

    'health is open to a direct call': async (environment) => {
      for (const path of ['/livez', '/readyz', '/healthz', '/metrics']) {
        assert.equal((await fetchDirectly(environment, path)).code, 200, path)
      }
    },

    'the API server logged no error about our group': async ({ log }, t) => {
      if (log === undefined) return t.skip("the API server's log cannot be read")
      assert.deepEqual(await log.errors(GROUP), [])
    },
  },
  { broker: { QUEUES: 'batch=0-3;debug=0-3' } },
)
