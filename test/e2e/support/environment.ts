// One MiniCluster with the sidecar in a namespace of its own, registered as the cluster's custom metrics API.
// Every e2e file makes one and shares it among its cases; names of APIServices are cluster-wide, so files take turns.
import type { V1Pod, V2HorizontalPodAutoscaler } from '@kubernetes/client-node'
import { createAuthority } from '../../support/certificates.ts'
import { isMiniCluster, MINICLUSTERS, type MiniCluster } from '../../support/minicluster.ts'
import { Operator } from '../../support/operator.ts'
import { ApiserverLog } from './apiserver-log.ts'
import {
  type Cluster,
  claimApiServices,
  connect,
  createNamespace,
  installCrd,
  remove,
  removeCrd,
} from './cluster.ts'
import { frontProxy } from './front-proxy.ts'
import { getRaw, kubectl } from './kubectl.ts'
import {
  apiServices,
  type BrokerSettings,
  certificates,
  GROUP,
  HOLD_FILE,
  MINICLUSTER,
  metricsService,
  miniCluster,
  SERVICE,
  withSidecar,
} from './manifests.ts'
import { firstItem } from './metric-values.ts'
import { report } from './report.ts'
import { holds } from './wait.ts'

/** The broker's control API: the stand-in for users who submit jobs, and for what goes wrong. */
const CONTROL_PORT = 8051

export class Environment {
  readonly cluster: Cluster
  readonly namespace: string
  /** PEM of the authority that signed the sidecar's certificate. */
  readonly authority: string
  /** A place in the API server's log before our API was registered; `undefined` where the log is out of reach. */
  readonly log: ApiserverLog | undefined
  readonly #operator: Operator
  readonly #operatorLog: readonly string[]
  /** Pods are described once, at length. */
  #reported = false

  private constructor(fields: {
    readonly cluster: Cluster
    readonly namespace: string
    readonly authority: string
    readonly log: ApiserverLog | undefined
    readonly operator: Operator
    readonly operatorLog: readonly string[]
  }) {
    this.cluster = fields.cluster
    this.namespace = fields.namespace
    this.authority = fields.authority
    this.log = fields.log
    this.#operator = fields.operator
    this.#operatorLog = fields.operatorLog
  }

  /** Two of four nodes up, the sidecar serving, both APIServices Available. */
  static async create(broker: BrokerSettings = {}): Promise<Environment> {
    const cluster = connect()
    await claimApiServices(cluster)
    await installCrd(cluster)
    const namespace = await createNamespace(cluster)
    const ca = await createAuthority('flux-metrics-e2e')
    const host = `${SERVICE}.${namespace}.svc`
    const serving = await ca.issue({ commonName: SERVICE, dns: [host] })
    const { clientCa, allowedNames } = await frontProxy(cluster)
    const operatorLog: string[] = []
    const operator = new Operator({
      kubeConfig: cluster.kubeConfig,
      namespaces: [namespace],
      decorate: (template) => withSidecar(template, { namespace, allowedNames }),
      log: (line) => operatorLog.push(line),
    })
    const log = await ApiserverLog.mark()
    const environment = new Environment({
      cluster,
      namespace,
      authority: ca.cert,
      log,
      operator,
      operatorLog,
    })
    try {
      await operator.start()
      await cluster.objects.create(certificates(namespace, { ...serving, clientCa }))
      await cluster.objects.create(metricsService(namespace))
      await cluster.objects.create(miniCluster(namespace, { size: 2, maxSize: 4, broker }))
      await environment.readyPods(2)
      await environment.#endpoint()
      for (const service of apiServices(namespace, ca.cert)) {
        await cluster.objects.create(service)
      }
      await environment.available()
      await holds('a first reading with both nodes up', async () => {
        return (await environment.metric('node_up_count')) === 2
      })
      return environment
    } catch (error) {
      await environment.report()
      await environment.remove()
      throw error
    }
  }

  /** The MiniCluster as the API server has it. */
  async miniCluster(): Promise<MiniCluster> {
    const { namespace } = this
    const answer: unknown = await this.cluster.custom.getNamespacedCustomObject({
      ...MINICLUSTERS,
      namespace,
      name: MINICLUSTER,
    })
    if (!isMiniCluster(answer)) throw new TypeError('Cannot read MiniCluster: not the shape of one')
    return answer
  }

  /** The MiniCluster's pods that have not ended, by index. */
  async pods(): Promise<readonly V1Pod[]> {
    const { namespace } = this
    const labelSelector = `job-name=${MINICLUSTER}`
    const { items } = await this.cluster.core.listNamespacedPod({ namespace, labelSelector })
    return items.sort((a, b) => (a.spec?.hostname ?? '').localeCompare(b.spec?.hostname ?? ''))
  }

  /** Waits until exactly these many pods exist and all are Ready. */
  async readyPods(count: number): Promise<void> {
    await holds(`${count} ready pods`, async () => {
      const pods = await this.pods()
      return pods.length === count && pods.every(isReady)
    })
  }

  /** Name of the pod with the lead broker. */
  async lead(): Promise<string> {
    const [pod] = await this.pods()
    if (pod?.metadata?.name === undefined) throw new Error('Cannot find the index-0 pod')
    return pod.metadata.name
  }

  /** A metric of the MiniCluster's Service, through the API server; `selector` is a `metricLabelSelector`. */
  async metric(name: string, selector?: string): Promise<number> {
    const query =
      selector === undefined ? '' : `?metricLabelSelector=${encodeURIComponent(selector)}`
    const path = `/apis/${GROUP}/v1beta2/namespaces/${this.namespace}/services/${SERVICE}/${name}`
    return Number(firstItem(await getRaw(`${path}${query}`)).value)
  }

  /** Asks the lead broker's control API, through the API server. */
  async state(): Promise<unknown> {
    return getRaw(`${await this.#control()}/state`)
  }

  /** Tells the lead broker's control API. A broker told to die may not live to answer: the outcome is not checked. */
  async tell(path: string, body: object = {}): Promise<void> {
    const url = `${await this.#control()}${path}`
    const { code, stderr } = await kubectl(
      ['create', '--raw', url, '-f', '-'],
      JSON.stringify(body),
    )
    if (code !== 0 && path !== '/kill' && path !== '/shutdown') {
      throw new Error(`Cannot tell the broker ${path}: ${stderr.trim()}`)
    }
  }

  /** From now on a lead broker that was restarted waits before it starts, as one with much to restore does. */
  async holdBroker(): Promise<void> {
    await this.inLead('touch', HOLD_FILE)
  }

  async releaseBroker(): Promise<void> {
    await this.inLead('rm', HOLD_FILE)
  }

  async hpa(name: string): Promise<V2HorizontalPodAutoscaler> {
    const { namespace } = this
    return this.cluster.autoscaling.readNamespacedHorizontalPodAutoscaler({ namespace, name })
  }

  /** Log of the sidecar beside the lead broker, as `kubectl logs` prints it. */
  async sidecarLog(): Promise<readonly string[]> {
    const { stdout } = await kubectl([
      'logs',
      `--namespace=${this.namespace}`,
      '--container=flux-metrics',
      await this.lead(),
    ])
    return stdout.split('\n').filter((line) => line !== '')
  }

  /** Waits until both APIServices are Available. */
  async available(): Promise<void> {
    for (const service of apiServices(this.namespace, '')) {
      const name = service.metadata?.name ?? ''
      const args = ['wait', '--for=condition=Available', `apiservice/${name}`, '--timeout=90s']
      const { code, stderr } = await kubectl(args)
      if (code !== 0) throw new Error(`Cannot use ${name}: ${stderr.trim()}`)
    }
  }

  /** Prints all that helps to understand a failure. */
  async report(): Promise<void> {
    await report(this.namespace, { operatorLog: this.#operatorLog, atLength: !this.#reported })
    this.#reported = true
  }

  /** Takes everything away again. APIServices first: without them behind it, no namespace can be deleted. */
  async remove(): Promise<void> {
    await this.#operator.stop()
    for (const service of apiServices(this.namespace, '')) await remove(this.cluster, service)
    await remove(this.cluster, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.namespace },
    })
    await removeCrd(this.cluster)
  }

  /** Waits until the Service leads to a sidecar that listens: the API server logs an error for each probe in vain. */
  async #endpoint(): Promise<void> {
    const scope = `--namespace=${this.namespace}`
    const selector = `--selector=kubernetes.io/service-name=${SERVICE}`
    const addresses = '-o=jsonpath={.items[*].endpoints[*].addresses[*]}'
    await holds('an endpoint of the metrics Service', async () => {
      return (await kubectl(['get', 'endpointslices', scope, selector, addresses])).stdout !== ''
    })
    const livez = `pods/https:${await this.lead()}:8443/proxy/livez`
    await holds('a sidecar that listens', async () => {
      const path = `/api/v1/namespaces/${this.namespace}/${livez}`
      return (await kubectl(['get', '--raw', path])).code === 0
    })
  }

  /** Runs a command in the lead broker's container. */
  async inLead(...command: readonly string[]): Promise<void> {
    const args = ['exec', `--namespace=${this.namespace}`, `--container=${MINICLUSTER}`]
    const { code, stderr } = await kubectl([...args, await this.lead(), '--', ...command])
    if (code !== 0) throw new Error(`Cannot run ${command.join(' ')}: ${stderr.trim()}`)
  }

  async #control(): Promise<string> {
    const pod = `${await this.lead()}:${CONTROL_PORT}`
    return `/api/v1/namespaces/${this.namespace}/pods/${pod}/proxy`
  }
}

function isReady(pod: V1Pod): boolean {
  const ready = pod.status?.conditions?.some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  )
  return ready === true && pod.metadata?.deletionTimestamp === undefined
}
