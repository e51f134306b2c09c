// A MiniCluster of a test that has several: its lead pod, its jobs, its size and its HPA.
import type { V1Pod } from '@kubernetes/client-node'
import { isMiniCluster, MINICLUSTERS } from '../../support/minicluster.ts'
import type { Cluster } from './cluster.ts'
import { type Broker, getControl, postControl } from './control.ts'
import { run } from './installation.ts'
import { GROUP } from './manifests.ts'
import { isReady } from './pods.ts'

export interface Member {
  readonly namespace: string
  readonly name: string
}

/** Where a metric of a MiniCluster is. */
export function metricPath({ namespace, name }: Member, metric: string): string {
  const object = `namespaces/${namespace}/miniclusters.flux-framework.org/${name}`
  return `/apis/${GROUP}/v1beta2/${object}/${metric}`
}

/** The pod with the lead broker, if it is ready. */
export async function findLead(
  { core }: Cluster,
  { namespace, name }: Member,
): Promise<V1Pod | undefined> {
  const labelSelector = `job-name=${name},batch.kubernetes.io/job-completion-index=0`
  const { items } = await core.listNamespacedPod({ namespace, labelSelector })
  return items.find(isReady)
}

/** As {@link findLead}. Throws if there is none. */
export async function leadOf(cluster: Cluster, member: Member): Promise<V1Pod> {
  const lead = await findLead(cluster, member)
  if (lead === undefined) throw new Error(`Cannot find the index-0 pod of ${member.name}`)
  return lead
}

/** The MiniCluster's broker, wherever its pod is. */
export function brokerOf(cluster: Cluster, member: Member): Broker {
  const lead = async () => {
    const { metadata } = await leadOf(cluster, member)
    return { namespace: member.namespace, pod: metadata?.name ?? '' }
  }
  return {
    get: async (path) => getControl(await lead(), path),
    post: async (path, body = {}) => postControl(await lead(), path, body),
  }
}

/** Cancels all jobs and submits this many of one node each. */
export async function submitJobs(cluster: Cluster, member: Member, count: number): Promise<void> {
  const pod = (await leadOf(cluster, member)).metadata?.name ?? ''
  const lead = { namespace: member.namespace, pod }
  await postControl(lead, '/jobs/cancel-all', {})
  for (let job = 0; job < count; job += 1) await postControl(lead, '/jobs', { nodes: 1 })
}

/** `spec.size` */
export async function sizeOf({ custom }: Cluster, { namespace, name }: Member): Promise<number> {
  const found: unknown = await custom.getNamespacedCustomObject({
    ...MINICLUSTERS,
    namespace,
    name,
  })
  if (!isMiniCluster(found)) throw new TypeError('Cannot read MiniCluster: not one')
  return found.spec.size
}

/** The condition that says whether an HPA has its metric. */
export async function scalingActive({ autoscaling }: Cluster, hpa: Member) {
  const { status } = await autoscaling.readNamespacedHorizontalPodAutoscaler(hpa)
  return status?.conditions?.find(({ type }) => type === 'ScalingActive')
}

/** Sets `spec.size`. */
export async function resize({ namespace, name }: Member, size: number): Promise<void> {
  const patch = JSON.stringify({ spec: { size } })
  const scope = `--namespace=${namespace}`
  await run(['patch', 'minicluster', name, scope, '--type=merge', `--patch=${patch}`])
}
