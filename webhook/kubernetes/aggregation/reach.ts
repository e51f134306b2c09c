// What the custom metrics API of the cluster leads to, and which MiniClusters HPAs can read metrics of then. Decides for nobody:
// it says what a user must know. Pure.
import * as v from 'valibot'
import { CA_BUNDLE_LABEL, GATEWAY, METRICS_SERVICE, MINICLUSTER_LABEL } from '../../contract.ts'
import type { ClusterObject } from '../../objects/cluster-object.ts'

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

/**
 * The topology of an APIService of custom metrics, as long as the selector of its Service is not known.
 *
 * @returns `undefined` if it leads to no Service
 */
export function topologyOf(apiService: ClusterObject | undefined): Topology | undefined {
  const parsed = v.safeParse(ApiServiceSchema, apiService)
  if (!parsed.success) return undefined
  const { metadata, spec } = parsed.output
  const { namespace, name } = spec.service
  // With the label, whatever its value is, it is of this project.
  const isForeign =
    name !== GATEWAY && name !== METRICS_SERVICE && metadata.labels?.[CA_BUNDLE_LABEL] === undefined
  return { namespace, service: name, isForeign, minicluster: undefined, isRead: false }
}

/** The MiniCluster that a Service selects. */
export function selectedBy(
  service: ClusterObject | undefined,
): Pick<Topology, 'minicluster' | 'isRead'> {
  const parsed = v.safeParse(ServiceSchema, service)
  if (!parsed.success) return { minicluster: undefined, isRead: false }
  return { minicluster: parsed.output.spec.selector[MINICLUSTER_LABEL], isRead: true }
}
