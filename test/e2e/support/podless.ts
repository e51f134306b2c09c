// More nodes than fit on a small machine: ranks that are up without a pod, in a MiniCluster whose operator is stopped.
import { PatchStrategy, setHeaderOptions } from '@kubernetes/client-node'
import { MINICLUSTERS } from '../../support/minicluster.ts'
import type { Environment } from './environment.ts'
import { MINICLUSTER } from './manifests.ts'

const MERGE_PATCH = setHeaderOptions('Content-Type', PatchStrategy.MergePatch)

/** Sets the MiniCluster's size in spec and status, as its stopped operator would, but without pods for the new ranks. */
export async function growWithoutPods(environment: Environment, size: number): Promise<void> {
  const { cluster, namespace } = environment
  const miniCluster = { ...MINICLUSTERS, namespace, name: MINICLUSTER }
  await environment.post('/up', { ranks: `0-${size - 1}` })
  await cluster.custom.patchNamespacedCustomObject(
    { ...miniCluster, body: { spec: { size } } },
    MERGE_PATCH,
  )
  await cluster.custom.patchNamespacedCustomObjectStatus(
    { ...miniCluster, body: { status: { size } } },
    MERGE_PATCH,
  )
}
