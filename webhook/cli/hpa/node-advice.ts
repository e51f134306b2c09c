// What the nodes below a MiniCluster mean for its HPA: whether node autoscalers leave its pods where they are, and whether a
// smaller size empties nodes. Pure.
import { annotatePods } from '../../admission/advice/protection-advice.ts'
import { isProtected, missingProtection, wantsProtection } from '../../injection/protection.ts'
import { readAnnotations } from '../../objects/annotations.ts'
import { formatQuantity, isMore, parseQuantity } from '../../objects/quantity.ts'
import type { MiniClusterSource } from '../input/files/minicluster-source.ts'
import { NO_UID } from '../input/files/objects.ts'

export interface NodeAdvice {
  /** About the pods that the HPA scales; `undefined` if they are protected, or will be. */
  readonly protection: string | undefined
  /** About a smaller size. */
  readonly sharing: string
  readonly warnings: readonly string[]
}

export function adviseOnNodes(minicluster: MiniClusterSource): NodeAdvice {
  const { protection, warnings } = onProtection(minicluster)
  const sharing = onSharing(minicluster)
  return { protection, sharing: sharing.text, warnings: [...warnings, ...sharing.warnings] }
}

function onProtection({ metadata, spec }: MiniClusterSource) {
  const { annotations } = spec.pod
  const { settings } = readAnnotations(annotations, metadata.annotations)
  if (settings.enabled !== true || isProtected(annotations)) return NOTHING
  if (!wantsProtection(settings)) return { ...NOTHING, protection: OPTED_OUT }
  if (Object.keys(missingProtection(annotations, settings)).length === 0) {
    return { ...NOTHING, protection: CONTRARY }
  }
  // The webhook protects the pods of a MiniCluster that is still to be created.
  if (metadata.uid === NO_UID) return NOTHING
  const command = annotatePods({ name: metadata.name, namespace: metadata.namespace })
  const cure = `create the MiniCluster again, or now and after each growth: ${command}`
  return {
    protection: `${EVICTED}\nThe MiniCluster was created without the annotations that prevent it: ${cure}`,
    warnings: [
      `flux-metrics/protect: node autoscalers may evict the pods, which ends their jobs: ${cure}`,
    ],
  }
}

const NOTHING = { protection: undefined, warnings: [] } as const

const EVICTED =
  'Node autoscalers may evict these pods when a smaller size leaves room on their nodes, which ends their jobs.'
const OPTED_OUT = `${EVICTED}\nflux-metrics/protect is "false".`
const CONTRARY = `${EVICTED}\nspec.pod.annotations of the MiniCluster says so.`

/** Any node that is worth running Flux has twice as much. */
const SMALL = { cpu: '1', memory: '2Gi' } as const

/**
 * Whether a smaller size empties nodes. The operator has no required anti-affinity, and its preferred one keeps no second pod from a
 * node with room.
 */
export function onSharing({ spec: { containers } }: MiniClusterSource) {
  const requested = requestsOf(containers)
  const isLarge = [...requested].some(([resource, amount]) => {
    // Such as GPUs. Of the disk every node has plenty.
    if (resource !== 'cpu' && resource !== 'memory') {
      return amount > 0n && resource !== 'ephemeral-storage'
    }
    return !isMore(SMALL[resource], formatQuantity(resource, amount))
  })
  if (isLarge) {
    const amounts = [...requested].map(
      ([resource, amount]) => `${resource} ${formatQuantity(resource, amount)}`,
    )
    return {
      text: `${EMPTIED} A pod requests ${amounts.join(', ')}: one pod a node needs more than half of a node.`,
      warnings: [],
    }
  }
  const what = requested.size === 0 ? 'no requests' : 'small requests'
  return {
    text: `${EMPTIED} This MiniCluster has ${what}: several of its pods share a node. Request more than half of a node.`,
    warnings: [
      `spec.containers.resources: ${what}, so several pods share a node: a smaller size leaves nodes that are not empty, and ` +
        'a larger one may ask for no node: request more than half of a node',
    ],
  }
}

const EMPTIED =
  'The highest indices go, wherever their pods stand, and a node goes once it is empty: with several pods a node, n pods may keep n nodes.'

/** What the pod of all containers requests, in thousandths. Without a request the limit counts, as for the API server. */
function requestsOf(containers: MiniClusterSource['spec']['containers']) {
  const sums = new Map<string, bigint>()
  for (const { resources } of containers) {
    const all = { ...Object(resources.limits), ...Object(resources.requests) }
    for (const [resource, quantity] of Object.entries<unknown>(all)) {
      const amount = parseQuantity(String(quantity))
      if (amount !== undefined) sums.set(resource, (sums.get(resource) ?? 0n) + amount)
    }
  }
  return sums
}
