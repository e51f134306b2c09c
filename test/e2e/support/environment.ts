// The project installed, and one MiniCluster in a namespace of its own that serves the cluster's custom metrics API.
// Every e2e file makes one and shares it among its cases; names of APIServices are cluster-wide, so files take turns.
import type {
  KubernetesObject,
  V1Pod,
  V1PodTemplateSpec,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node'
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
import { askControl, type Lead, tellControl } from './control.ts'
import { Installation, run } from './installation.ts'
import { getRaw, kubectl } from './kubectl.ts'
import {
  API_SERVICES,
  ENABLED,
  GROUP,
  HOLD_FILE,
  MINICLUSTER,
  type MiniClusterOptions,
  miniCluster,
  SERVICE,
} from './manifests.ts'
import { firstItem } from './metric-values.ts'
import { report } from './report.ts'
import { holds } from './wait.ts'

/** How the MiniCluster is to be: by default two of four nodes are up, and it serves metrics. */
export interface EnvironmentOptions extends Partial<MiniClusterOptions> {
  /** What has to be in its namespace before it. */
  readonly objects?: readonly KubernetesObject[]
}

interface Parts {
  readonly cluster: Cluster
  readonly namespace: string
  readonly installation: Installation
  readonly operator: Operator
  readonly operatorLog: readonly string[]
}

export class Environment {
  readonly cluster: Cluster
  readonly namespace: string
  readonly installation: Installation
  /** A place in the API server's log from when our API served; `undefined` where the log is out of reach. */
  log: ApiserverLog | undefined
  readonly #operator: Operator
  readonly #operatorLog: readonly string[]
  /** Pods are described once, at length. */
  #reported = false

  private constructor({ cluster, namespace, installation, operator, operatorLog }: Parts) {
    this.cluster = cluster
    this.namespace = namespace
    this.installation = installation
    this.#operator = operator
    this.#operatorLog = operatorLog
  }

  /** The project installed, and a MiniCluster with two nodes up. If it is annotated so, it serves metrics. */
  static async create(options: EnvironmentOptions = {}): Promise<Environment> {
    const { objects = [], annotations = ENABLED, ...others } = options
    const cluster = connect()
    await claimApiServices(cluster)
    await installCrd(cluster)
    const namespace = await createNamespace(cluster)
    const installation = await Installation.apply(namespace)
    const operatorLog: string[] = []
    const operator = new Operator({
      kubeConfig: cluster.kubeConfig,
      namespaces: [namespace],
      decorate: withShortGrace,
      log: (line) => operatorLog.push(line),
    })
    const parts = { cluster, namespace, installation, operator, operatorLog }
    const environment = new Environment(parts)
    try {
      await operator.start()
      const body = miniCluster(namespace, { size: 2, maxSize: 4, ...others, annotations })
      for (const object of [...objects, body]) {
        await cluster.objects.create({ ...object, metadata: { ...object.metadata, namespace } })
      }
      await environment.readyPods(2)
      if (annotations['flux-metrics/enabled'] === 'true') await environment.serving()
      return environment
    } catch (error) {
      await environment.report()
      await environment.remove()
      throw error
    }
  }

  /** Waits until metrics are served: by the sidecar, through the API server, of both nodes. */
  async serving(): Promise<void> {
    await this.available()
    await holds('a first reading with both nodes up', async () => {
      return (await this.metric('node_up_count')) === 2
    })
    this.log = await ApiserverLog.mark()
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
  async ask(path: string): Promise<unknown> {
    return askControl(await this.#control(), path)
  }

  async state(): Promise<unknown> {
    return this.ask('/state')
  }

  /** Tells the lead broker's control API, and what it answered. */
  async tell(path: string, body: object = {}): Promise<unknown> {
    return tellControl(await this.#control(), path, body)
  }

  /** From now on nobody follows `spec.size`. */
  async stopOperator(): Promise<void> {
    await this.#operator.stop()
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

  /** Waits until our APIServices are Available. */
  async available(): Promise<void> {
    for (const name of API_SERVICES) {
      // An edit has the API server look at once, not within half a minute.
      await run([
        'annotate',
        'apiservice',
        name,
        `flux-metrics/looked=${Date.now()}`,
        '--overwrite',
      ])
      await run(['wait', '--for=condition=Available', `apiservice/${name}`, '--timeout=90s'])
    }
  }

  /** PEM of the authorities that the API server trusts for our APIServices. */
  async authority(): Promise<string> {
    const [name = ''] = API_SERVICES
    const bundle = await run(['get', 'apiservice', name, '-o=jsonpath={.spec.caBundle}'])
    return Buffer.from(bundle, 'base64').toString()
  }

  /** Prints all that helps to understand a failure. */
  async report(): Promise<void> {
    await report(this.namespace, { operatorLog: this.#operatorLog, atLength: !this.#reported })
    this.#reported = true
  }

  /** Takes everything away again. APIServices first: without them behind it, no namespace can be deleted. */
  async remove(): Promise<void> {
    await this.#operator.stop()
    await this.installation.remove()
    await remove(this.cluster, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: this.namespace },
    })
    await removeCrd(this.cluster)
  }

  /** Runs a command in the lead broker's container. */
  async inLead(...command: readonly string[]): Promise<void> {
    const args = ['exec', `--namespace=${this.namespace}`, `--container=${MINICLUSTER}`]
    const { code, stderr } = await kubectl([...args, await this.lead(), '--', ...command])
    if (code !== 0) throw new Error(`Cannot run ${command.join(' ')}: ${stderr.trim()}`)
  }

  async #control(): Promise<Lead> {
    return { namespace: this.namespace, pod: await this.lead() }
  }
}

function isReady(pod: V1Pod): boolean {
  const ready = pod.status?.conditions?.some(
    ({ type, status }) => type === 'Ready' && status === 'True',
  )
  return ready === true && pod.metadata?.deletionTimestamp === undefined
}

/** A broker takes no notice of SIGTERM, so every shrinking waits this long: 30 s with the real operator. */
function withShortGrace({ metadata, spec }: V1PodTemplateSpec): V1PodTemplateSpec {
  return {
    ...(metadata !== undefined && { metadata }),
    ...(spec !== undefined && { spec: { ...spec, terminationGracePeriodSeconds: 5 } }),
  }
}
