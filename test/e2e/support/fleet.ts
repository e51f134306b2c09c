// A Fleet is the default installation, with the gateway, and three MiniClusters in two namespaces. Two have the same name.
import type { V1Pod, V2HorizontalPodAutoscaler } from '@kubernetes/client-node'
import { CONTAINER_NAME, GATEWAY } from '../../../webhook/contract.ts'
import { Operator } from '../../support/operator.ts'
import { awaitPublished, claimApiServices } from './api-services.ts'
import { miniClusterHpa } from './autoscalers.ts'
import { type Cluster, connect, createNamespace, installCrd, remove, removeCrd } from './cluster.ts'
import { withShortGrace } from './environment.ts'
import { Installation, run, WEBHOOK_NAMESPACE } from './installation.ts'
import { getRaw, kubectl } from './kubectl.ts'
import { API_SERVICES, ENABLED, MINICLUSTER, miniCluster } from './manifests.ts'
import { leadOf, type Member, metricPath, scalingActive, sizeOf, submitJobs } from './members.ts'
import { firstItem } from './metric-values.ts'
import { isReady } from './pods.ts'
import { report } from './report.ts'
import { holds } from './wait.ts'

const OTHER = 'flux-other'
const ANNOTATIONS = { ...ENABLED, 'flux-metrics/idle-grace-seconds': '0' }

export class Fleet {
  readonly cluster: Cluster
  readonly installation: Installation
  /** One of two MiniClusters of its namespace. */
  readonly first: Member
  /** The other of that namespace. */
  readonly second: Member
  /** The only one of its namespace, with the name of the first. */
  readonly alone: Member
  readonly #operator: Operator
  readonly #operatorLog: string[] = []

  private constructor(
    cluster: Cluster,
    installation: Installation,
    [one, other]: readonly [string, string],
  ) {
    this.cluster = cluster
    this.installation = installation
    this.first = { namespace: one, name: MINICLUSTER }
    this.second = { namespace: one, name: OTHER }
    this.alone = { namespace: other, name: MINICLUSTER }
    this.#operator = new Operator({
      kubeConfig: cluster.kubeConfig,
      namespaces: [one, other],
      decorate: withShortGrace,
      log: (line) => this.#operatorLog.push(line),
    })
  }

  /** Installs the default and creates the MiniClusters. Returns when the metrics of all are served. */
  static async create(): Promise<Fleet> {
    const cluster = connect()
    await claimApiServices(cluster)
    // Those of overlays/direct that an earlier file has left are not the gateway's to take.
    await run(['delete', 'apiservices', '--ignore-not-found', ...API_SERVICES])
    await installCrd(cluster)
    const namespaces = [await createNamespace(cluster), await createNamespace(cluster)] as const
    const fleet = new Fleet(cluster, await Installation.apply('gateway'), namespaces)
    try {
      await fleet.#operator.start()
      for (const { namespace, name } of fleet.members) {
        const options = { name, size: 2, maxSize: 4, annotations: ANNOTATIONS }
        await cluster.objects.create(miniCluster(namespace, options))
      }
      await fleet.published()
      for (const member of fleet.members) await fleet.serves(member)
      return fleet
    } catch (error) {
      await fleet.report()
      await fleet.remove()
      throw error
    }
  }

  get members(): readonly Member[] {
    return [this.first, this.second, this.alone]
  }

  /** Waits until the gateway has published the APIServices, and they are Available. */
  async published(): Promise<void> {
    await awaitPublished()
  }

  /** Waits until a MiniCluster's metrics are served. */
  async serves(member: Member): Promise<void> {
    await holds(`metrics of ${member.name}`, async () => {
      return (await this.metric(member, 'node_up_count')) >= 2
    })
  }

  async metric(member: Member, name: string): Promise<number> {
    return Number(firstItem(await getRaw(metricPath(member, name))).value)
  }

  /** `spec.size`, in the order of the members. */
  async sizes(): Promise<readonly number[]> {
    return Promise.all(this.members.map((member) => sizeOf(this.cluster, member)))
  }

  /** Waits until `spec.size` of the members has these values. */
  async haveSizes(...expected: readonly number[]): Promise<void> {
    await holds(`sizes ${expected.join()}`, async () => {
      return (await this.sizes()).join() === expected.join()
    })
  }

  /** The pod with the lead broker. */
  async lead(member: Member): Promise<V1Pod> {
    return leadOf(this.cluster, member)
  }

  /** Cancels all jobs and submits this many of one node each. */
  async submit(member: Member, count: number): Promise<void> {
    await submitJobs(this.cluster, member, count)
  }

  /** One node for each active job. The HPA has the name of its MiniCluster. */
  jobsHpa({ namespace, name }: Member): V2HorizontalPodAutoscaler {
    return miniClusterHpa(namespace, { name, miniCluster: name, metric: 'job_active_count' })
  }

  /** The condition that says whether the HPA has its metric. */
  async scalingActive(member: Member) {
    return scalingActive(this.cluster, member)
  }

  /** Waits until the HPA has its metric. A sidecar that gets no processor for a second is an error for one period. */
  async hasValidMetric(member: Member): Promise<void> {
    await holds(`a valid metric of ${member.name}`, async () => {
      return (await this.scalingActive(member))?.reason === 'ValidMetricFound'
    })
  }

  /** Kills the program of a running sidecar. Returns whether that was possible. */
  async killSidecar(member: Member): Promise<boolean> {
    const { metadata } = await this.lead(member)
    const args = ['exec', metadata?.name ?? '', `--namespace=${member.namespace}`]
    const program = ['/nodejs/bin/node', '-e', 'process.kill(1)']
    return (await kubectl([...args, `--container=${CONTAINER_NAME}`, '--', ...program])).code === 0
  }

  /** The id of the sidecar's container; `undefined` if it does not run. Times of Kubernetes have whole seconds: too few. */
  async runningSidecar(member: Member): Promise<string | undefined> {
    const { initContainerStatuses = [], containerStatuses = [] } =
      (await this.lead(member)).status ?? {}
    const found = [...initContainerStatuses, ...containerStatuses].find(
      ({ name }) => name === CONTAINER_NAME,
    )
    return found?.state?.running && found.containerID
  }

  /** Whether the sidecar was told to end: its log says so at once, its status later. */
  async isSidecarStopping(member: Member): Promise<boolean> {
    const pod = (await this.lead(member)).metadata?.name ?? ''
    const scope = [`--namespace=${member.namespace}`, `--container=${CONTAINER_NAME}`]
    return (await run(['logs', pod, ...scope])).includes('"msg":"stopping"')
  }

  /** Names of the gateway's pods that are ready. */
  async gatewayPods(): Promise<readonly string[]> {
    const { items } = await this.cluster.core.listNamespacedPod({
      namespace: WEBHOOK_NAMESPACE,
      labelSelector: `app.kubernetes.io/name=${GATEWAY}`,
    })
    return items.filter(isReady).map(({ metadata }) => metadata?.name ?? '')
  }

  /** Deletes a pod of the gateway, and waits until another is ready. The deleted one still serves for some seconds. */
  async replace(pod: string): Promise<void> {
    await run(['delete', 'pod', pod, `--namespace=${WEBHOOK_NAMESPACE}`, '--wait=false'])
    await holds('two other pods of the gateway', async () => {
      const pods = await this.gatewayPods()
      return pods.length === 2 && !pods.includes(pod)
    })
  }

  /** Waits until these pods of the gateway have ended. */
  async ended(pods: readonly string[]): Promise<void> {
    const names = pods.map((pod) => `pod/${pod}`)
    const scope = `--namespace=${WEBHOOK_NAMESPACE}`
    await run(['wait', '--for=delete', ...names, scope, '--timeout=60s'])
  }

  async report(): Promise<void> {
    const scope = [
      `--namespace=${WEBHOOK_NAMESPACE}`,
      `--selector=app.kubernetes.io/name=${GATEWAY}`,
    ]
    const { stdout, stderr } = await kubectl(['logs', ...scope, '--prefix', '--tail=60'])
    process.stdout.write(`\n--- gateway\n${stdout}${stderr}`)
    for (const { namespace } of [this.first, this.alone]) {
      await report(namespace, { operatorLog: this.#operatorLog, atLength: false })
    }
  }

  /** Removes everything, also where other files keep it: the gateway would take their APIServices. */
  async remove(): Promise<void> {
    await this.#operator.stop()
    await this.installation.remove()
    for (const { namespace } of [this.first, this.alone]) {
      await run(['delete', 'namespace', namespace, '--wait=false'])
    }
    for (const { namespace } of [this.first, this.alone]) {
      const header = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
      await remove(this.cluster, header)
    }
    await removeCrd(this.cluster)
  }
}
