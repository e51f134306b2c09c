// The owners of a pod, by name and UID: the Job that controls it, and the MiniCluster that controls the Job. Each look-up is one or
// two readings; how often, and how long it is tried, is in look-ups.ts. Decides nothing.
import type { Cluster } from '../../kubernetes/cluster.ts'
import { type MiniCluster, miniClusterOf, toJob, toMiniCluster } from '../../objects/minicluster.ts'
import type { Owner } from '../../objects/pod.ts'
import type { Candidate } from '../decision.ts'

/** A MiniCluster as something refers to it. Whether it exists is not known. */
export type Reference = Pick<Owner, 'apiVersion' | 'name' | 'uid'>

/** What the API server knows of the owners of a pod. */
export interface Owners {
  readonly minicluster: MiniCluster | undefined
  /** Whether the first of them exists: the look-up was worth its cost. */
  readonly isKnown: boolean
  /** Whether an owner is not there: it is deleted, or this API server does not know it yet. */
  readonly isIncomplete: boolean
}

const NOTHING: Owners = { minicluster: undefined, isKnown: false, isIncomplete: true }

/**
 * The MiniCluster that controls the Job that controls a pod. An owner is read by its name, and is the right one only if its
 * UID is that of the owner reference.
 *
 * @throws ClusterError if the API server does not answer, or forbids the reading
 */
export async function findMiniCluster(
  cluster: Pick<Cluster, 'read'>,
  { job }: Candidate,
  namespace: string,
): Promise<MiniCluster | undefined> {
  return (await readOwners(cluster, job, namespace)).minicluster
}

export async function readOwners(
  cluster: Pick<Cluster, 'read'>,
  job: Owner,
  namespace: string,
): Promise<Owners> {
  const { apiVersion, kind, name } = job
  const found = toJob(await cluster.read({ apiVersion, kind, name, namespace, metadataOnly: true }))
  if (found?.metadata.uid !== job.uid) return NOTHING
  const owner = miniClusterOf(found.metadata)
  // The operator gives the Job of the brokers the name of its MiniCluster. Any other Job may be owned by it, too.
  if (owner?.name !== name) return { minicluster: undefined, isKnown: true, isIncomplete: false }
  return { ...(await readMiniCluster(cluster, owner, namespace)), isKnown: true }
}

export async function readMiniCluster(
  cluster: Pick<Cluster, 'read'>,
  { apiVersion, name, uid }: Reference,
  namespace: string,
): Promise<Owners> {
  const reference = { apiVersion, kind: 'MiniCluster', name, namespace }
  const minicluster = toMiniCluster(await cluster.read(reference))
  if (minicluster?.metadata.uid !== uid) return NOTHING
  return { minicluster, isKnown: true, isIncomplete: false }
}
