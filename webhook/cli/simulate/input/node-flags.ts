// The flags of `flux-metrics simulate` about nodes: how they are bought and given back.
import { formatDuration, parseDuration } from '../duration.ts'
import type { NodePoolOptions } from '../node-pool.ts'

export const NODE_FLAGS = {
  nodes: { type: 'boolean' },
  'node-boot': { type: 'string' },
  'consolidate-after': { type: 'string' },
  'pods-per-node': { type: 'string' },
} as const

/** In seconds. GKE was measured with 30 s; Karpenter's default is to consolidate at once, cluster-autoscaler's 10 min. */
const DEFAULTS = { boot: 30, keep: 30, podsPerNode: 1 } as const

const MAX_PODS_PER_NODE = 1_000

export const NODE_HELP = `      --nodes          count nodes, not pods: a node is bought when a pod has no
                       room, and given back when it has been empty for a while;
                       no pod is moved. The column "bought" has their hours
      --node-boot TIME until pods start on a new node [${formatDuration(DEFAULTS.boot)}]
      --consolidate-after TIME
                       how long an empty node is kept [${formatDuration(DEFAULTS.keep)}]
      --pods-per-node N
                       pods that share a node [${DEFAULTS.podsPerNode}]`

interface NodeValues {
  readonly nodes?: boolean | undefined
  readonly 'node-boot'?: string | undefined
  readonly 'consolidate-after'?: string | undefined
  readonly 'pods-per-node'?: string | undefined
}

/** @returns `undefined` without `--nodes`; a sentence if the flags are wrong */
export function readNodePool(values: NodeValues): NodePoolOptions | string | undefined {
  const { nodes = false, ...others } = values
  const names = ['node-boot', 'consolidate-after', 'pods-per-node'] as const
  const alone = names.find((name) => others[name] !== undefined)
  if (!nodes) return alone === undefined ? undefined : `--${alone}: needs --nodes`
  const boot = secondsIn(values['node-boot'], DEFAULTS.boot)
  if (boot === undefined) return `--node-boot: ${TIME}, got "${values['node-boot']}"`
  const keep = secondsIn(values['consolidate-after'], DEFAULTS.keep)
  if (keep === undefined)
    return `--consolidate-after: ${TIME}, got "${values['consolidate-after']}"`
  const text = values['pods-per-node'] ?? String(DEFAULTS.podsPerNode)
  const podsPerNode = /^\d+$/.test(text) ? Number(text) : 0
  if (podsPerNode < 1 || podsPerNode > MAX_PODS_PER_NODE) {
    return `--pods-per-node: expected a number from 1 to ${MAX_PODS_PER_NODE}, got "${text}"`
  }
  return { bootMs: boot * 1000, keepMs: keep * 1000, podsPerNode }
}

const TIME = 'expected a time like 90s, 10m or 1.5h'

function secondsIn(text: string | undefined, byDefault: number): number | undefined {
  return text === undefined ? byDefault : parseDuration(text)
}
