// The lead brokers of a cluster and the MiniClusters that ask for metrics, read as metadata alone: a cluster may have
// thousands of both. Whether what they claim is true is found out later, for the few that matter.
import * as v from 'valibot'
import { preselect } from '../admission/decision.ts'
import { INJECTED_ANNOTATION } from '../contract.ts'
import { missingProtection } from '../injection/protection.ts'
import type { Cluster, ClusterObject } from '../kubernetes/cluster.ts'
import { collect } from '../kubernetes/collect.ts'
import { readEnabled, readProtect } from '../objects/annotations.ts'
import { MINICLUSTER } from '../objects/minicluster.ts'
import { COMPLETION_INDEX, Metadata, type Owner } from '../objects/pod.ts'

/** As in the webhook's objectSelector (manifests/base/mutating-webhook.yaml). */
const PODS = {
  apiVersion: 'v1',
  kind: 'Pod',
  labelSelector: `app=flux-operator,${COMPLETION_INDEX}=0`,
  fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
  metadataOnly: true,
} as const

const MINICLUSTERS = { ...MINICLUSTER, metadataOnly: true } as const

/** A few hundred bytes are kept of each. A cluster that has more is not looked through to its end. */
const MAX_KEPT = 20_000

const Place = {
  ...Metadata.entries,
  name: v.string(),
  namespace: v.string(),
}

const MiniClusterSchema = v.object({ metadata: v.object(Place) })

const PodSchema = v.object({
  metadata: v.object({ ...Place, uid: v.string(), creationTimestamp: v.string() }),
})

/** A pod that looks like a lead broker. */
export interface LeadBroker {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly job: Owner
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly isInjected: boolean
  /** Whether node autoscalers may evict it, and nobody has said that they may. */
  readonly isExposed: boolean
  /** What the pod says itself. */
  readonly isEnabled: boolean | undefined
}

/** What a cluster has. */
export interface Survey {
  readonly leadBrokers: readonly LeadBroker[]
  /** Whether the annotations of a MiniCluster ask for metrics. */
  readonly asks: (namespace: string, name: string) => boolean
  /** Whether there was more than is kept. */
  readonly isCut: boolean
}

/** @throws ClusterError */
export async function survey(cluster: Pick<Cluster, 'list'>): Promise<Survey> {
  const pods = await collect(cluster, PODS, { keep: toLeadBroker, max: MAX_KEPT })
  const enabled = await collect(cluster, MINICLUSTERS, { keep: placeIfEnabled, max: MAX_KEPT })
  const places = new Set(enabled.kept)
  return {
    leadBrokers: pods.kept,
    asks: (namespace, name) => places.has(placeOf(namespace, name)),
    isCut: pods.isCut || enabled.isCut,
  }
}

function toLeadBroker(object: ClusterObject): LeadBroker | undefined {
  if (!v.is(PodSchema, object)) return undefined
  const { metadata } = object
  const candidate = preselect({ metadata: { ...metadata } })
  if (candidate.kind === 'skip' || metadata.deletionTimestamp) return undefined
  const { annotations } = metadata
  const protect = readProtect(annotations) ?? true
  const missing = missingProtection(annotations, { enabled: true, protect })
  const { apiVersion, kind, name, uid } = candidate.job
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    job: { apiVersion, kind, name, uid },
    createdAt: Date.parse(metadata.creationTimestamp),
    isInjected: annotations?.[INJECTED_ANNOTATION] !== undefined,
    isExposed: Object.keys(missing).length > 0,
    isEnabled: candidate.enabled,
  }
}

function placeIfEnabled(object: ClusterObject): string | undefined {
  if (!v.is(MiniClusterSchema, object)) return undefined
  const { namespace, name, annotations, deletionTimestamp } = object.metadata
  if (deletionTimestamp || readEnabled(annotations) !== true) return undefined
  return placeOf(namespace, name)
}

/** Neither part contains a slash. */
function placeOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}
