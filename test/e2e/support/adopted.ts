// The default installation beside another adapter that has the APIs, with a MiniCluster, and Deployments that HPAs scale by metrics
// of that adapter.
import type { V2MetricSpec } from '@kubernetes/client-node'
import { GATEWAY } from '../../../webhook/contract.ts'
import { Operator } from '../../support/operator.ts'
import { awaitApiServices, claimApiServices } from './api-services.ts'
import { deploymentHpa } from './autoscalers.ts'
import { type Cluster, connect, createNamespace, installCrd, remove, removeCrd } from './cluster.ts'
import { withShortGrace } from './environment.ts'
import { Installation, run, WEBHOOK_NAMESPACE } from './installation.ts'
import { kubectl } from './kubectl.ts'
import { API_SERVICES, BROKER_IMAGE, ENABLED, MINICLUSTER, miniCluster } from './manifests.ts'
import { findLead, type Member } from './members.ts'
import { report } from './report.ts'
import { type AdapterMetric, TestAdapter } from './test-adapter.ts'
import { holds } from './wait.ts'

/** The Deployment that is scaled by {@link QUEUE}, and the one that is scaled by an external metric. */
export const WORKER = 'worker'
export const SHIPPER = 'shipper'

export const QUEUE: AdapterMetric = { service: 'queue', metric: 'queue_length' }

export class Adopted {
  readonly cluster: Cluster
  readonly adapter: TestAdapter
  readonly installation: Installation
  readonly member: Member
  readonly #operator: Operator
  readonly #operatorLog: string[] = []

  private constructor(
    cluster: Cluster,
    {
      adapter,
      installation,
      namespace,
    }: Pick<Adopted, 'adapter' | 'installation'> & {
      readonly namespace: string
    },
  ) {
    this.cluster = cluster
    this.adapter = adapter
    this.installation = installation
    this.member = { namespace, name: MINICLUSTER }
    this.#operator = new Operator({
      kubeConfig: cluster.kubeConfig,
      namespaces: [namespace],
      decorate: withShortGrace,
      log: (line) => this.#operatorLog.push(line),
    })
  }

  /** Starts the adapter, its Deployments with their HPAs, then installs the default and creates the MiniCluster. */
  static async create(): Promise<Adopted> {
    const cluster = connect()
    await claimApiServices(cluster)
    await run(['delete', 'apiservices', '--ignore-not-found', ...API_SERVICES])
    await installCrd(cluster)
    const adapter = await TestAdapter.start(cluster)
    const namespace = await createNamespace(cluster)
    const installation = await Installation.apply('gateway')
    const adopted = new Adopted(cluster, { adapter, installation, namespace })
    try {
      await adopted.#operator.start()
      const annotations = { ...ENABLED, 'flux-metrics/idle-grace-seconds': '0' }
      const body = miniCluster(namespace, { size: 2, maxSize: 4, annotations })
      await cluster.objects.create(body)
      for (const name of [WORKER, SHIPPER]) await adopted.#deploy(name)
      await holds('the lead broker', async () => {
        return (await findLead(cluster, adopted.member)) !== undefined
      })
      return adopted
    } catch (error) {
      await adopted.report()
      await adopted.remove()
      throw error
    }
  }

  /** Creates the HPA of a Deployment, beside it. */
  async scale(deployment: string, metric: V2MetricSpec): Promise<void> {
    const hpa = deploymentHpa(this.adapter.namespace, deployment, metric)
    await remove(this.cluster, hpa)
    await this.cluster.objects.create(hpa)
  }

  /** Waits until a Deployment is told to have this many pods. */
  async hasReplicas(deployment: string, count: number): Promise<void> {
    const scope = `--namespace=${this.adapter.namespace}`
    await holds(`${count} replicas of ${deployment}`, async () => {
      const path = '-o=jsonpath={.spec.replicas}'
      return (await run(['get', 'deployment', deployment, scope, path])) === String(count)
    })
  }

  /** Waits until the gateway has taken over the APIServices, and they are Available. */
  async published(): Promise<void> {
    await holds('the APIServices', async () => {
      const path = '-o=jsonpath={.items[*].spec.service.name}'
      const names = await run(['get', 'apiservices', ...API_SERVICES, path])
      return names === API_SERVICES.map(() => GATEWAY).join(' ')
    })
    await awaitApiServices()
  }

  async report(): Promise<void> {
    const scope = [
      `--namespace=${WEBHOOK_NAMESPACE}`,
      `--selector=app.kubernetes.io/name=${GATEWAY}`,
    ]
    for (const args of [
      ['logs', ...scope, '--prefix', '--tail=80'],
      ['describe', 'hpa,pods', `--namespace=${this.adapter.namespace}`],
      ['logs', 'test-adapter', `--namespace=${this.adapter.namespace}`, '--tail=60'],
    ]) {
      const { stdout, stderr } = await kubectl(args)
      process.stdout.write(`\n--- ${args.join(' ')}\n${stdout}${stderr}`)
    }
    const { namespace } = this.member
    await report(namespace, { operatorLog: this.#operatorLog, atLength: false })
  }

  /** Removes everything. The APIServices are first, and the gateway before them: it would publish them again. */
  async remove(): Promise<void> {
    await this.#operator.stop()
    await this.installation.remove()
    await this.adapter.remove()
    const { namespace: name } = this.member
    await remove(this.cluster, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
    await removeCrd(this.cluster)
  }

  async #deploy(name: string): Promise<void> {
    const labels = { app: name }
    const container = {
      name,
      image: BROKER_IMAGE,
      imagePullPolicy: 'IfNotPresent',
      command: ['sleep', 'infinity'],
      resources: { requests: { cpu: '1m', memory: '1Mi' } },
    }
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: this.adapter.namespace },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { terminationGracePeriodSeconds: 0, containers: [container] },
        },
      },
    }
    await this.cluster.objects.create(deployment)
  }
}
