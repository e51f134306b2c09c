// A stand-in for metrics-server, for an HPA on CPU: every container of the MiniCluster's pods uses some CPU. It runs as a pod
// of the broker's image, and its answers are set when it starts.
import type { V1Pod } from '@kubernetes/client-node'
import { createAuthority } from '../../support/certificates.ts'
import { remove } from './cluster.ts'
import type { Environment } from './environment.ts'
import { run } from './installation.ts'
import { BROKER_IMAGE } from './manifests.ts'

const NAME = 'metrics-server'
const GROUP_VERSION = 'metrics.k8s.io/v1beta1'

/** The whole server: discovery, and the list of pods for every client. */
const PROGRAM = `
const { CERT, KEY, LIST, DISCOVERY } = process.env
require('node:https').createServer({ cert: CERT, key: KEY }, (request, response) => {
  response.setHeader('Content-Type', 'application/json')
  const isList = /\\/pods(\\?|$)/.test(request.url)
  if (isList) response.end(LIST.replaceAll('NOW', new Date().toISOString()))
  else response.end(DISCOVERY)
}).listen(8443)
`

const DISCOVERY = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: GROUP_VERSION,
  resources: [
    {
      name: 'pods',
      singularName: '',
      namespaced: true,
      kind: 'PodMetrics',
      verbs: ['get', 'list'],
    },
  ],
}

/** The answer: usage of all running containers, native sidecars included. */
function listOf(pods: readonly V1Pod[]): string {
  const items = pods.map(({ metadata, spec }) => ({
    metadata: { name: metadata?.name, namespace: metadata?.namespace, labels: metadata?.labels },
    timestamp: 'NOW',
    window: '30s',
    containers: [
      ...(spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
      ...(spec?.containers ?? []),
    ].map(({ name }) => ({ name, usage: { cpu: '5m', memory: '20Mi' } })),
  }))
  return JSON.stringify({ kind: 'PodMetricsList', apiVersion: GROUP_VERSION, metadata: {}, items })
}

/** Serves `metrics.k8s.io` for the MiniCluster's present pods, until disposed. */
export async function serveCpuMetrics(environment: Environment): Promise<AsyncDisposable> {
  const { cluster, namespace } = environment
  const authority = await createAuthority(NAME)
  const keys = await authority.issue({ commonName: NAME, dns: [`${NAME}.${namespace}.svc`] })
  const env = { CERT: keys.cert, KEY: keys.key, DISCOVERY: JSON.stringify(DISCOVERY) }
  const variables = { ...env, LIST: listOf(await environment.pods()) }
  const labels = { app: NAME }
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: NAME, namespace, labels },
      spec: {
        // It ignores SIGTERM.
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: NAME,
            image: BROKER_IMAGE,
            imagePullPolicy: 'IfNotPresent',
            command: ['node', '-e', PROGRAM],
            env: Object.entries(variables).map(([name, value]) => ({ name, value })),
            readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
          },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: NAME, namespace },
      spec: { selector: labels, ports: [{ port: 443, targetPort: 8443 }] },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io' },
      spec: {
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { name: NAME, namespace, port: 443 },
        caBundle: Buffer.from(authority.cert).toString('base64'),
      },
    },
  ]
  for (const object of objects) await cluster.objects.create(object)
  await run([
    'wait',
    '--for=condition=Available',
    'apiservice/v1beta1.metrics.k8s.io',
    '--timeout=90s',
  ])
  return {
    async [Symbol.asyncDispose]() {
      for (const object of objects.toReversed()) await remove(cluster, object)
    },
  }
}
