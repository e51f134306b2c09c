// An Environment is the installed project and one MiniCluster, in a namespace of its own, that serves the cluster's custom
// metrics API. Every e2e file creates one for all its cases. APIServices are cluster-wide, so the files run one at a time.
import type {
  KubernetesObject,
  V1Pod,
  V1PodTemplateSpec,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node'
import { CONTAINER_NAME } from '../../../webhook/contract.ts'
import { isMiniCluster, MINICLUSTERS, type MiniCluster } from '../../support/minicluster.ts'
import { Operator } from '../../support/operator.ts'
import { awaitApiServices, claimApiServices } from './api-services.ts'
import { ApiserverLog } from './apiserver-log.ts'
import {
  type Cluster,
  connect,
  createNamespace,
  installCrd,
  KEEPS,
  remove,
  removeCrd,
} from './cluster.ts'
import { getControl, type Lead, postControl } from './control.ts'
import { Installation } from './installation.ts'
import { getRaw, kubectl } from './kubectl.ts'
import {
  ENABLED,
  GROUP,
  HOLD_FILE,
  MINICLUSTER,
  type MiniClusterOptions,
  miniCluster,
  SERVICE,
} from './manifests.ts'
import { firstItem } from './metric-values.ts'
import { describePod, isReady } from './pods.ts'
import { report } from './report.ts'
import { holds } from './wait.ts'

/** Options of the MiniCluster. By default two of four nodes are up, and it serves metrics. */
export interface EnvironmentOptions extends Partial<MiniClusterOptions> {
  /** Objects that its namespace needs before it. */
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
  /** The API server's log since our API was first served; `undefined` if the log cannot be read. */
  log: ApiserverLog | undefined
  readonly #operator: Operator
  readonly #operatorLog: readonly string[]
  /** Whether a report has described the pods: only the first one does. */
  #reported = false

  private constructor({ cluster, namespace, installation, operator, operatorLog }: Parts) {
    this.cluster = cluster
    this.namespace = namespace
    this.installation = installation
    this.#operator = operator
    this.#operatorLog = operatorLog
  }

  /** Installs the project and creates a MiniCluster with two nodes up. If its annotations enable metrics, they are served. */
  static async create(options: EnvironmentOptions = {}): Promise<Environment> {
    const { objects = [], annotations = ENABLED, ...others } = options
    const cluster = connect()
    await claimApiServices(cluster)
    await installCrd(cluster)
    const namespace = await createNamespace(cluster)
    const installation = await Installation.apply({ direct: namespace })
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

  /** Waits until the API server serves the sidecar's metrics of both nodes. */
  async serving(): Promise<void> {
    await awaitApiServices()
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
      if (pods.length === count && pods.every(isReady)) return true
      throw new Error(`There are: ${pods.map(describePod).join(', ') || 'none'}`)
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

  /** GET of the lead broker's control API, through the API server. */
  async get(path: string): Promise<unknown> {
    return getControl(await this.#control(), path)
  }

  async state(): Promise<unknown> {
    return this.get('/state')
  }

  /** POST to the lead broker's control API, through the API server. Returns the answer. */
  async post(path: string, body: object = {}): Promise<unknown> {
    return postControl(await this.#control(), path, body)
  }

  /** From now on changes of `spec.size` have no effect. */
  async stopOperator(): Promise<void> {
    await this.#operator.stop()
  }

  /** From now on a restarted lead broker waits before it starts, like one that has much to restore. */
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

  /** Prints the state of the cluster and the logs, to explain a failure. */
  async report(): Promise<void> {
    await report(this.namespace, { operatorLog: this.#operatorLog, atLength: !this.#reported })
    this.#reported = true
  }

  /** Removes everything, or all but what is kept. APIServices are first: while one has no server, no namespace can be deleted. */
  async remove(): Promise<void> {
    await this.#operator.stop()
    const metadata = { name: this.namespace }
    if (KEEPS) {
      // It ends while the next file runs: as soon as that file's sidecar serves the APIs.
      await this.cluster.core.deleteNamespace(metadata)
      return this.installation.forget()
    }
    await this.installation.remove()
    await remove(this.cluster, { apiVersion: 'v1', kind: 'Namespace', metadata })
    await removeCrd(this.cluster)
  }

  /** Runs a command in the lead broker's container. */
  async inLead(...command: readonly string[]): Promise<void> {
    await this.#exec(MINICLUSTER, command)
  }

  /** Runs a command in the sidecar's container, which has no shell. */
  async inSidecar(...command: readonly string[]): Promise<void> {
    await this.#exec(CONTAINER_NAME, command)
  }

  async #exec(container: string, command: readonly string[]): Promise<void> {
    const args = ['exec', `--namespace=${this.namespace}`, `--container=${container}`]
    const { code, stderr } = await kubectl([...args, await this.lead(), '--', ...command])
    if (code !== 0) throw new Error(`Cannot run ${command.join(' ')}: ${stderr.trim()}`)
  }

  async #control(): Promise<Lead> {
    return { namespace: this.namespace, pod: await this.lead() }
  }
}

/** A broker ignores SIGTERM, so every shrink takes this grace: 30 s with the real operator. */
export function withShortGrace({ metadata, spec }: V1PodTemplateSpec): V1PodTemplateSpec {
  return {
    ...(metadata !== undefined && { metadata }),
    ...(spec !== undefined && { spec: { ...spec, terminationGracePeriodSeconds: 5 } }),
  }
}
