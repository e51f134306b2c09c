// Another adapter of custom and external metrics in the cluster, as its manifests install it: a pod, its Service
// `custom-metrics-apiserver`, its rights, and the APIServices. A test sets its numbers, kills it, and starts it again.
import { readFile } from 'node:fs/promises'
import type { KubernetesObject } from '@kubernetes/client-node'
import { createAuthority } from '../../support/certificates.ts'
import { adapterProgram } from './adapter-program.ts'
import { type Cluster, createNamespace, remove } from './cluster.ts'
import { run } from './installation.ts'
import { kubectl } from './kubectl.ts'
import { API_SERVICES, BROKER_IMAGE, EXTERNAL_GROUP, GROUP } from './manifests.ts'

/** That of the adapter's own manifests, and of the prototype's Service. */
const SERVICE = 'custom-metrics-apiserver'
const NAME = 'test-adapter'

/** The pod runs on while the program is killed: nothing delays its next start. */
const COMMAND = `
trap 'exit 0' TERM
while :; do
  until [ -e /adapter/run ]; do sleep 0.2; done
  /adapter/program --secure-port=6443 --tls-cert-file=/tls/tls.crt --tls-private-key-file=/tls/tls.key &
  echo $! >/adapter/pid
  wait $!
done`

/** Posts a quantity. `kubectl` would send no type, which the adapter needs. */
const POST = `
const [, path, value] = process.argv
const headers = { "Content-Type": "application/json" }
const options = { method: "POST", headers, body: JSON.stringify(value) }
fetch("http://127.0.0.1:8080/" + path, options).then(({ ok }) => process.exit(ok ? 0 : 1))`

/** The metric that an object of the cluster has in the adapter. */
export interface AdapterMetric {
  /** Name of a Service. */
  readonly service: string
  readonly metric: string
}

export class TestAdapter {
  readonly namespace: string
  readonly #cluster: Cluster
  readonly #objects: readonly KubernetesObject[]

  private constructor(cluster: Cluster, namespace: string, objects: readonly KubernetesObject[]) {
    this.#cluster = cluster
    this.namespace = namespace
    this.#objects = objects
  }

  /** Starts it. Returns when its APIServices are Available. */
  static async start(cluster: Cluster): Promise<TestAdapter> {
    const program = await readFile(await adapterProgram())
    const namespace = await createNamespace(cluster)
    const authority = await createAuthority(`${NAME}-ca`)
    const dns = [`${SERVICE}.${namespace}.svc`]
    const { cert, key } = await authority.issue({ commonName: NAME, dns })
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: NAME, namespace },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': cert, 'tls.key': key },
    }
    const objects = [secret, ...rightsOf(namespace), ...serverOf(namespace)]
    const adapter = new TestAdapter(cluster, namespace, objects)
    try {
      for (const object of objects) await cluster.objects.create(object)
      await adapter.#becomes('jsonpath={.status.phase}=Running')
      await adapter.#inPod('cat >/adapter/program && chmod +x /adapter/program', program)
      await adapter.restart()
      const apiServices = apiServicesOf(namespace, authority.cert)
      for (const object of apiServices) await cluster.objects.create(object)
      const names = apiServices.map(({ metadata }) => `apiservice/${metadata.name}`)
      await run(['wait', '--for=condition=Available', ...names, '--timeout=90s'])
      return adapter
    } catch (error) {
      await run(['delete', 'apiservices', '--ignore-not-found', ...API_SERVICES])
      await adapter.remove()
      throw error
    }
  }

  /** Sets a number. */
  async set({ service, metric }: AdapterMetric, value: number): Promise<void> {
    const path = `write-metrics/namespaces/${this.namespace}/services/${service}/${metric}`
    await this.#inPod(`node -e '${POST}' ${path} ${value}`)
  }

  /** Kills the program, until {@link restart}. */
  async kill(): Promise<void> {
    await this.#inPod('rm /adapter/run && kill -9 "$(cat /adapter/pid)"')
  }

  /** Starts the program, without any numbers. */
  async restart(): Promise<void> {
    await this.#inPod('touch /adapter/run')
    await this.#becomes('condition=Ready')
  }

  /** Removes everything but the APIServices, which may lead to another server by now. */
  async remove(): Promise<void> {
    const metadata = { name: this.namespace }
    for (const object of this.#objects.toReversed()) await remove(this.#cluster, object)
    await remove(this.#cluster, { apiVersion: 'v1', kind: 'Namespace', metadata })
  }

  async #becomes(state: string): Promise<void> {
    const scope = `--namespace=${this.namespace}`
    await run(['wait', `--for=${state}`, `pod/${NAME}`, scope, '--timeout=90s'])
  }

  async #inPod(command: string, input?: Uint8Array): Promise<void> {
    const args = ['exec', '-i', NAME, `--namespace=${this.namespace}`, '--', 'bash', '-c', command]
    const { code, stderr } = await kubectl(args, input)
    if (code !== 0) throw new Error(`Cannot run ${command} in the adapter's pod: ${stderr.trim()}`)
  }
}

/** Who it is, that it may ask who somebody is and what he may do, and that it may read what its metrics are about. */
function rightsOf(namespace: string) {
  const subjects = [{ kind: 'ServiceAccount', name: NAME, namespace }]
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1' }
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole' }
  const reader = 'extension-apiserver-authentication-reader'
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace } },
    ...['system:auth-delegator', 'view'].map((name) => ({
      ...rbac,
      kind: 'ClusterRoleBinding',
      metadata: { name: `${namespace}-${name.replace(':', '-')}` },
      roleRef: { ...roleRef, name },
      subjects,
    })),
    {
      ...rbac,
      kind: 'RoleBinding',
      metadata: { name: namespace, namespace: 'kube-system' },
      roleRef: { ...roleRef, kind: 'Role', name: reader },
      subjects,
    },
  ]
}

function serverOf(namespace: string) {
  const labels = { app: NAME }
  return [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: NAME, namespace, labels },
      spec: {
        serviceAccountName: NAME,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: NAME,
            image: BROKER_IMAGE,
            imagePullPolicy: 'IfNotPresent',
            command: ['bash', '-c', COMMAND],
            readinessProbe: { tcpSocket: { port: 6443 }, periodSeconds: 1, failureThreshold: 1 },
            volumeMounts: [
              { name: 'adapter', mountPath: '/adapter' },
              { name: 'tls', mountPath: '/tls', readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: 'adapter', emptyDir: {} },
          { name: 'tls', secret: { secretName: NAME } },
        ],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: SERVICE, namespace },
      spec: { selector: labels, ports: [{ port: 443, targetPort: 6443 }] },
    },
  ]
}

function apiServicesOf(namespace: string, ca: string) {
  const versions = [
    [GROUP, 'v1beta1', 100],
    [GROUP, 'v1beta2', 200],
    [EXTERNAL_GROUP, 'v1beta1', 100],
  ] as const
  return versions.map(([group, version, versionPriority]) => ({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}` },
    spec: {
      ...{ group, version, versionPriority, groupPriorityMinimum: 100 },
      service: { name: SERVICE, namespace, port: 443 },
      caBundle: Buffer.from(ca).toString('base64'),
    },
  }))
}
