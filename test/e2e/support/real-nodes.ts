// Which pods of a MiniCluster may be on real nodes: the first, for as long as real nodes are open. All others are on the nodes that
// a NodePool buys, in which nothing runs.
import type { V1PodTemplateSpec } from '@kubernetes/client-node'
import { run } from './installation.ts'
import { NODES_LABEL } from './node-pool.ts'

/** The value of {@link NODES_LABEL} on open nodes. */
const OPEN = 'open'

const REAL_NODES = ['nodes', '--selector=!karpenter.sh/nodepool'] as const

/** Lets the pods of {@link onRealOrBought} onto real nodes, until disposed. Pods that are there stay. */
export async function openRealNodes(): Promise<AsyncDisposable> {
  await run(['label', ...REAL_NODES, `${NODES_LABEL}=${OPEN}`, '--overwrite'])
  return {
    async [Symbol.asyncDispose]() {
      await run(['label', ...REAL_NODES, `${NODES_LABEL}-`])
    },
  }
}

/**
 * Pods for open real nodes and for those of a NodePool. A MiniCluster has fields for this, but the operator leaves them out
 * together with its preference of one node for each pod.
 */
export function onRealOrBought(
  nodePool: string,
  { spec, ...template }: V1PodTemplateSpec,
): V1PodTemplateSpec {
  if (spec === undefined) throw new TypeError('Cannot place pods: the template has no spec')
  const matchExpressions = [{ key: NODES_LABEL, operator: 'In', values: [OPEN, nodePool] }]
  const required = { nodeSelectorTerms: [{ matchExpressions }] }
  const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: required }
  return { ...template, spec: { ...spec, affinity: { ...spec.affinity, nodeAffinity } } }
}
