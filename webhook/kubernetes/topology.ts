// What the custom metrics API of the cluster leads to: which MiniClusters HPAs can read metrics of. Decides for nobody: it
// says what a user must know.
import * as v from 'valibot'
import type { Logger } from '#serving/log.ts'
import { Poll } from '#serving/poll.ts'
import { CA_BUNDLE_LABEL, GATEWAY, METRICS_SERVICE, MINICLUSTER_LABEL } from '../contract.ts'
import type { Cluster, ClusterObject } from './cluster.ts'
import { POLL_PACE } from './cluster.ts'
import { Outage } from './outage.ts'

/** The version that HPAs prefer. Both lead to the same Service. */
const API_SERVICE = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  name: 'v1beta2.custom.metrics.k8s.io',
} as const

/** The Service that the API leads to. */
export interface Topology {
  readonly namespace: string
  readonly service: string
  /** The MiniCluster whose pods it selects; `undefined` if it names none, or cannot be read. */
  readonly minicluster: string | undefined
  /** Whether its selector is known. */
  readonly isRead: boolean
  /** Whether the Service belongs to another metrics adapter. */
  readonly isForeign: boolean
}

export type Reach =
  | { readonly kind: 'reached' }
  /** `why` is a sentence for people. `shared`: as long as there is no second MiniCluster with metrics beside it. */
  | { readonly kind: 'shared' | 'unreached'; readonly why: string }

/**
 * Whether HPAs can read the metrics of a MiniCluster.
 *
 * @param topology `undefined` if the API has no Service, or nothing is known: then nothing is said
 */
export function reach(
  topology: Topology | undefined,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Reach {
  if (topology === undefined || topology.service === GATEWAY) return { kind: 'reached' }
  const { minicluster, isRead, isForeign, service } = topology
  const leads = `the custom metrics API leads to Service ${topology.namespace}/${service}`
  if (isForeign) {
    const why =
      `No HPA can read its metrics: ${leads}, which is another adapter; to have both, ` +
      'the administrator runs: flux-metrics adopt'
    return { kind: 'unreached', why }
  }
  if (topology.namespace !== namespace) {
    const why = `No HPA can read its metrics: ${leads}, which selects no pods of namespace ${namespace}`
    return { kind: 'unreached', why }
  }
  if (!isRead || minicluster === name) return { kind: 'reached' }
  if (minicluster !== undefined) {
    const why = `No HPA can read its metrics: ${leads}, which selects MiniCluster ${minicluster} only`
    return { kind: 'unreached', why }
  }
  const why =
    `Add ${MINICLUSTER_LABEL}=${name} to the selector of Service ${topology.namespace}/${service}: ` +
    'it selects every MiniCluster, and an HPA obeys whichever answers'
  return { kind: 'shared', why }
}

const ApiServiceSchema = v.object({
  metadata: v.optional(v.object({ labels: v.nullish(v.record(v.string(), v.string()), {}) }), {
    labels: {},
  }),
  spec: v.object({ service: v.object({ namespace: v.string(), name: v.string() }) }),
})

const ServiceSchema = v.object({
  spec: v.object({ selector: v.optional(v.record(v.string(), v.string()), {}) }),
})

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
    const parsed = v.safeParse(ApiServiceSchema, await this.#cluster.read(API_SERVICE))
    if (!parsed.success) return undefined
    const { metadata, spec } = parsed.output
    const { namespace, name } = spec.service
    // With the label, whatever its value is, it is of this project.
    const isForeign =
      name !== GATEWAY && name !== METRICS_SERVICE && metadata.labels[CA_BUNDLE_LABEL] === undefined
    const place = { namespace, service: name, isForeign }
    // RBAC allows to read no other Service.
    if (name !== METRICS_SERVICE) return { ...place, minicluster: undefined, isRead: false }
    const service = { apiVersion: 'v1', kind: 'Service', name, namespace } as const
    return { ...place, ...selectedBy(await this.#cluster.read(service)) }
  }
}

function selectedBy(service: ClusterObject | undefined) {
  const parsed = v.safeParse(ServiceSchema, service)
  if (!parsed.success) return { minicluster: undefined, isRead: false }
  return { minicluster: parsed.output.spec.selector[MINICLUSTER_LABEL], isRead: true }
}
