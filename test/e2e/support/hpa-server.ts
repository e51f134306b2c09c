// A metrics API whose answers are in the names of the metrics: the metric `anything_12500m_error_3` is 12500m at the first
// request, an error at the second, and 3 from then on. It serves custom and external metrics as a pod of the broker's image.
import { createAuthority } from '../../support/certificates.ts'
import { awaitApiServices, claimApiServices } from './api-services.ts'
import type { Cluster } from './cluster.ts'
import { run } from './installation.ts'
import { getRaw, kubectl } from './kubectl.ts'
import { API_SERVICES, BROKER_IMAGE } from './manifests.ts'

const NAME = 'hpa-metrics'
const LABELS = { app: NAME, 'app.kubernetes.io/part-of': 'flux-metrics' }

/** The whole server: discovery, metrics, and the times at which each metric was requested. */
const PROGRAM = `
const { CERT, KEY } = process.env
const asked = {}
const status = (message) => ({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404, message })
const answer = ([, , group, version, , namespace, ...path]) => {
  const metric = path.at(-1)
  const times = (asked[metric] ??= [])
  const answers = metric.split('_').slice(1)
  const value = answers[Math.min(times.length, answers.length - 1)]
  times.push(Date.now())
  if (value === 'error') return status('answer ' + times.length + ' of ' + metric)
  const timestamp = new Date().toISOString()
  const list = { apiVersion: group + '/' + version, metadata: {} }
  if (group.startsWith('external')) {
    return { kind: 'ExternalMetricValueList', ...list, items: [{ metricName: metric, metricLabels: {}, timestamp, value }] }
  }
  const describedObject = { apiVersion: 'flux-framework.org/v1alpha2', kind: 'MiniCluster', namespace, name: path[1] }
  const names = version === 'v1beta1' ? { metricName: metric } : { metric: { name: metric } }
  return { kind: 'MetricValueList', ...list, items: [{ describedObject, ...names, timestamp, value }] }
}
require('node:https').createServer({ cert: CERT, key: KEY }, (request, response) => {
  const path = decodeURIComponent(request.url.split('?')[0]).split('/')
  const [, root, group, version, namespaces] = path
  const resources = [{ name: 'metrics', namespaced: true, kind: 'MetricValueList', verbs: ['get'] }]
  const body = namespaces ? answer(path)
    : root === 'asked' ? asked
    : root === 'apis' && version ? { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: group + '/' + version, resources }
    : status('no ' + request.url)
  response.writeHead(body.code ?? 200, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(body))
}).listen(8443)
`

/** The times at which each metric was requested, in milliseconds. */
export type Asked = Readonly<Record<string, readonly number[]>>

/** The name of a metric with these answers. */
export function metricNamed(name: string, answers: readonly string[]): string {
  return [name, ...answers].join('_')
}

export interface HpaServer extends AsyncDisposable {
  asked(): Promise<Asked>
}

/** Serves both groups for the whole cluster, until disposed. */
export async function serveHpaMetrics(cluster: Cluster, namespace: string): Promise<HpaServer> {
  await claimApiServices(cluster)
  const authority = await createAuthority(NAME)
  const keys = await authority.issue({ commonName: NAME, dns: [`${NAME}.${namespace}.svc`] })
  const caBundle = Buffer.from(authority.cert).toString('base64')
  const objects = [
    podAndService(namespace, keys),
    API_SERVICES.map((name) => apiService(name, { namespace, caBundle })),
  ].flat()
  await apply(objects)
  await run(['wait', '--for=condition=Ready', `pod/${NAME}`, `-n=${namespace}`, '--timeout=90s'])
  await awaitApiServices()
  return {
    asked: async () => readAsked(namespace),
    // The other objects are deleted with their namespace. With the APIServices it could not be deleted.
    async [Symbol.asyncDispose]() {
      await run(['delete', 'apiservices', ...API_SERVICES])
    },
  }
}

function podAndService(
  namespace: string,
  { cert, key }: { readonly cert: string; readonly key: string },
): readonly object[] {
  const env = [
    { name: 'CERT', value: cert },
    { name: 'KEY', value: key },
  ]
  const container = {
    name: NAME,
    image: BROKER_IMAGE,
    imagePullPolicy: 'IfNotPresent',
    command: ['node', '-e', PROGRAM],
    env,
    readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
  }
  const metadata = { name: NAME, namespace, labels: LABELS }
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata,
      spec: { containers: [container], terminationGracePeriodSeconds: 0 },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: { app: NAME }, ports: [{ port: 443, targetPort: 8443 }] },
    },
  ]
}

function apiService(
  name: string,
  { namespace, caBundle }: { readonly namespace: string; readonly caBundle: string },
): object {
  const [version = '', ...group] = name.split('.')
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name, labels: LABELS },
    spec: {
      group: group.join('.'),
      version,
      groupPriorityMinimum: 100,
      versionPriority: version === 'v1beta2' ? 200 : 100,
      service: { name: NAME, namespace, port: 443 },
      caBundle,
    },
  }
}

async function apply(items: readonly object[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items }
  const { code, stderr } = await kubectl(['apply', '-f', '-'], JSON.stringify(list))
  if (code !== 0) throw new Error(`Cannot serve metrics: ${stderr.trim()}`)
}

async function readAsked(namespace: string): Promise<Asked> {
  const path = `/api/v1/namespaces/${namespace}/pods/https:${NAME}:8443/proxy/asked`
  const answer = await getRaw(path)
  if (typeof answer !== 'object' || answer === null)
    throw new TypeError('Cannot read the times of requests')
  return Object.fromEntries(
    Object.entries(answer).map(([metric, times]) => [metric, Array.isArray(times) ? times : []]),
  )
}
