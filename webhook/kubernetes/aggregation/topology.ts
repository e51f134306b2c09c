// Watches what the custom metrics API of the cluster leads to. What follows from that is in reach.ts.
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/waiting/poll.ts'
import { METRICS_SERVICE } from '../../contract.ts'
import type { Cluster } from '../cluster.ts'
import { POLL_PACE } from '../cluster.ts'
import { Outage } from '../outage.ts'
import { selectedBy, type Topology, topologyOf } from './reach.ts'

/** The version that HPAs prefer. Both lead to the same Service. */
const API_SERVICE = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  name: 'v1beta2.custom.metrics.k8s.io',
} as const

/** Reads the topology again and again. */
export class TopologyWatch {
  readonly #cluster: Pick<Cluster, 'read'>
  readonly #outage: Outage
  readonly #poll: Poll
  #current: Topology | undefined

  constructor({ cluster, log }: { readonly cluster: Pick<Cluster, 'read'>; readonly log: Logger }) {
    this.#cluster = cluster
    this.#outage = new Outage(log.child({ component: 'topology' }), 'read the custom metrics API')
    this.#poll = new Poll({ ...POLL_PACE, task: () => this.tick() })
  }

  /** Reads it every few seconds until closed. Resolves after the first attempt, even if that failed. */
  async start(): Promise<void> {
    await this.#poll.start()
  }

  close(): void {
    this.#poll.close()
  }

  /** As it was read last; `undefined` if the API has no Service. */
  get current(): Topology | undefined {
    return this.#current
  }

  /** Reads it once. Never rejects. @returns whether it succeeded */
  async tick(): Promise<boolean> {
    try {
      this.#current = await this.#read()
      this.#outage.report([])
      return true
    } catch (error) {
      this.#outage.report([error])
      return false
    }
  }

  async #read(): Promise<Topology | undefined> {
    const found = topologyOf(await this.#cluster.read(API_SERVICE))
    // RBAC allows to read no other Service.
    if (found?.service !== METRICS_SERVICE) return found
    const { namespace, service: name } = found
    const service = { apiVersion: 'v1', kind: 'Service', name, namespace } as const
    return { ...found, ...selectedBy(await this.#cluster.read(service)) }
  }
}
