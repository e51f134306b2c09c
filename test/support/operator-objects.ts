// The objects that the Flux Operator creates for a MiniCluster, like those of the operator of June 2026 (v1alpha2) on a real
// cluster. Plain objects only: operator.ts sends them to a cluster.
import type { V1ConfigMap, V1Job, V1ObjectMeta, V1Service } from '@kubernetes/client-node'
import * as v from 'valibot'
import { operatorJob } from '../../webhook/cli/controllers/operator-job.ts'
import { MiniClusterSource } from '../../webhook/cli/input/files/minicluster-source.ts'
import type { MiniCluster } from './minicluster.ts'

/** Name and namespace of an object that the API server has stored. */
export function identity(object: { readonly metadata?: V1ObjectMeta }): {
  readonly name: string
  readonly namespace: string
} {
  const { name, namespace } = object.metadata ?? {}
  if (name === undefined || namespace === undefined) {
    throw new TypeError('Cannot use object: it has no name or no namespace')
  }
  return { name, namespace }
}

function ownedMetadata(cluster: MiniCluster, name: string): V1ObjectMeta {
  return {
    name,
    namespace: identity(cluster).namespace,
    ownerReferences: [
      {
        apiVersion: 'flux-framework.org/v1alpha2',
        kind: 'MiniCluster',
        name: identity(cluster).name,
        uid: cluster.metadata?.uid ?? '',
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  }
}

/** ConfigMap `<name>-entrypoint`: the start scripts. These start the container's command instead of a real Flux. */
export function entrypoint(cluster: MiniCluster): V1ConfigMap {
  const { name } = identity(cluster)
  const { containers } = cluster.spec
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: ownedMetadata(cluster, `${name}-entrypoint`),
    data: {
      ...Object.fromEntries(
        containers.map(({ runFlux, command = 'sleep infinity' }, index) => [
          `${runFlux === true || containers.length === 1 ? 'wait' : 'start'}-${index}`,
          // exec, so that SIGTERM reaches the command: in the operator's script bash does not pass it on for 30 s
          `#!/bin/bash\nexec ${command}\n`,
        ]),
      ),
      'flux-view': '#!/bin/bash\nset -e\nmkdir -p /mnt/flux/config/run/flux\n',
      'curve.cert': 'no certificate: the simulated broker does not encrypt\n',
    },
  }
}

/** The headless Service: no ports, and `publishNotReadyAddresses` unset, so only ready pods have a DNS name. */
export function headlessService(cluster: MiniCluster): V1Service {
  const { name } = identity(cluster)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: ownedMetadata(cluster, headlessName(cluster)),
    spec: { clusterIP: 'None', selector: { 'job-name': name } },
  }
}

function headlessName(cluster: MiniCluster): string {
  return cluster.spec.network?.headlessName ?? identity(cluster).name
}

/** The Indexed Job: one pod for each rank; completions and parallelism are the size. */
export function indexedJob(cluster: MiniCluster): V1Job {
  return JSON.parse(JSON.stringify(operatorJob(v.parse(MiniClusterSource, cluster))))
}

/** The five conditions of a MiniCluster whose Job was created. */
export function conditions() {
  const lastTransitionTime = `${new Date().toISOString().slice(0, 19)}Z`
  return [
    'JobRequested',
    'JobWaitingForResources',
    'JobRunning',
    'JobMiniClusterReady',
    'JobFinished',
  ].map((type) => ({
    type,
    reason: type,
    message: type,
    status: type === 'JobMiniClusterReady' ? 'True' : 'False',
    lastTransitionTime,
  }))
}
