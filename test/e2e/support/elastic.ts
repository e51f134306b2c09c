// An Elastic is the default installation with the gateway, and a MiniCluster whose nodes come and go: index 0, with the simulated
// broker and the sidecar, runs on a real node, all other pods are on the nodes of a NodePool.
import { isMiniCluster, MINICLUSTERS, type MiniCluster } from '../../support/minicluster.ts'
import { Operator } from '../../support/operator.ts'
import { awaitPublished, claimApiServices } from './api-services.ts'
import { type Cluster, connect, createNamespace, installCrd, remove, removeCrd } from './cluster.ts'
import type { Broker } from './control.ts'
import { withShortGrace } from './environment.ts'
import { Installation, run } from './installation.ts'
import { getRaw, kubectl } from './kubectl.ts'
import {
  API_SERVICES,
  ENABLED,
  MINICLUSTER,
  type MiniClusterOptions,
  miniCluster,
} from './manifests.ts'
import { brokerOf, findLead, type Member, metricPath } from './members.ts'
import { firstItem } from './metric-values.ts'
import { NodePool } from './node-pool.ts'
import { PodLives } from './pod-lives.ts'
import { RankKeeper } from './rank-keeper.ts'
import { onRealOrBought, openRealNodes } from './real-nodes.ts'
import { report } from './report.ts'
import { eventually, holds } from './wait.ts'

/** UID of the broker, who may drain. */
const UID = 1000

/** It drains before it shrinks. */
const DRAINS = {
  ...ENABLED,
  'flux-metrics/drain': 'true',
  'flux-metrics/run-as-user': String(UID),
  'flux-metrics/idle-grace-seconds': '1',
} as const

export interface ElasticOptions extends Pick<MiniClusterOptions, 'maxSize' | 'cpu' | 'network'> {
  /** The sizes of nodes in CPUs. */
  readonly nodeCpus: readonly number[]
  readonly bootTime?: string
}

interface Parts {
  readonly cluster: Cluster
  readonly namespace: string
  readonly installation: Installation
  readonly pool: NodePool
}

export class Elastic {
  readonly cluster: Cluster
  readonly namespace: string
  readonly pool: NodePool
  readonly broker: Broker
  readonly #installation: Installation
  readonly #operator: Operator
  readonly #operatorLog: string[] = []
  #watched: { readonly lives: PodLives; readonly ranks: RankKeeper } | undefined

  private constructor({ cluster, namespace, installation, pool }: Parts) {
    this.cluster = cluster
    this.namespace = namespace
    this.pool = pool
    this.broker = brokerOf(cluster, this.member)
    this.#installation = installation
    this.#operator = new Operator({
      kubeConfig: cluster.kubeConfig,
      namespaces: [namespace],
      decorate: (template, { metadata }) => {
        const short = withShortGrace(template)
        return metadata?.name === MINICLUSTER ? onRealOrBought(pool.name, short) : short
      },
      log: (line) => this.#operatorLog.push(line),
    })
  }

  /** Installs, and creates the MiniCluster with one node. Returns when its metrics are served. */
  static async create({ nodeCpus, bootTime = '0s', ...options }: ElasticOptions): Promise<Elastic> {
    const cluster = connect()
    await claimApiServices(cluster)
    // Those of overlays/direct that an earlier file has left are not the gateway's to take.
    await run(['delete', 'apiservices', '--ignore-not-found', ...API_SERVICES])
    await installCrd(cluster)
    const namespace = await createNamespace(cluster)
    const installation = await Installation.apply('gateway')
    const pool = await NodePool.create({ name: namespace, cpus: nodeCpus, bootTime })
    const elastic = new Elastic({ cluster, namespace, installation, pool })
    try {
      await elastic.#operator.start()
      await elastic.#place(options)
      await awaitPublished()
      await holds('metrics', async () => (await elastic.metric('node_up_count')) === 1)
      return elastic
    } catch (error) {
      await elastic.report()
      await elastic.remove()
      throw error
    }
  }

  /** The MiniCluster, for those who know only names. */
  get member(): Member {
    return { namespace: this.namespace, name: MINICLUSTER }
  }

  get lives(): PodLives {
    return this.#watching.lives
  }

  get ranks(): RankKeeper {
    return this.#watching.ranks
  }

  /** The MiniCluster as the API server has it. */
  async miniCluster(): Promise<MiniCluster> {
    const answer: unknown = await this.cluster.custom.getNamespacedCustomObject({
      ...MINICLUSTERS,
      ...this.member,
    })
    if (!isMiniCluster(answer)) throw new TypeError('Cannot read MiniCluster: not the shape of one')
    return answer
  }

  async metric(name: string): Promise<number> {
    return Number(firstItem(await getRaw(metricPath(this.member, name))).value)
  }

  /** The gateway's explanation, without the line breaks of its layout. */
  async explain(): Promise<string> {
    const path = `${metricPath(this.member, 'explain')}?format=text`
    return (await run(['get', '--raw', path])).replace(/\s+/g, ' ')
  }

  async report(): Promise<void> {
    await report(this.namespace, { operatorLog: this.#operatorLog, atLength: false })
    const { stdout } = await kubectl(['get', 'nodepools,nodeclaims,nodes', '--output=wide'])
    process.stdout.write(`\n--- nodes\n${stdout}`)
    const { stdout: events } = await kubectl(['get', 'events', '--sort-by=.lastTimestamp'])
    process.stdout.write(`\n--- events about nodes\n${events}`)
  }

  /** Removes everything, also where other files keep it: the gateway would take their APIServices. */
  async remove(): Promise<void> {
    await this.#watched?.ranks[Symbol.asyncDispose]()
    await this.#watched?.lives[Symbol.asyncDispose]()
    await this.#operator.stop()
    await this.#installation.remove()
    const metadata = { name: this.namespace }
    await remove(this.cluster, { apiVersion: 'v1', kind: 'Namespace', metadata })
    await this.pool.remove()
    await removeCrd(this.cluster)
  }

  /** Creates the MiniCluster while its first pod may be on a real node. */
  async #place(options: Omit<ElasticOptions, 'nodeCpus' | 'bootTime'>): Promise<void> {
    await using _open = await openRealNodes()
    const body = miniCluster(this.namespace, {
      ...options,
      size: 1,
      minSize: 1,
      user: UID,
      broker: { ROLE: 'owner' },
      annotations: DRAINS,
    })
    await this.cluster.objects.create(body)
    await eventually('the lead broker', async () => findLead(this.cluster, this.member))
    const lives = await PodLives.watch(this.cluster, this.member)
    this.#watched = { lives, ranks: new RankKeeper(this.broker, lives) }
  }

  get #watching() {
    if (this.#watched === undefined) throw new Error('Cannot watch pods: there is no MiniCluster')
    return this.#watched
  }
}
