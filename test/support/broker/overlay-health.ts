// Health of the overlay network: a tree of brokers. Each has up to `fanout` children, numbered level by level.
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Instance } from '#simulation/instance.ts'
import type { Node } from '#simulation/nodes/node.ts'

type Health = 'full' | 'partial' | 'degraded' | 'lost' | 'offline'

interface HealthOptions {
  /** The broker that answers. Only its direct children are in the answer. */
  readonly rank: number
  readonly fanout: number
  /** Whether the answer has the reason for a lost child. */
  readonly hasErrors: boolean
}

/** The answer to `overlay.health`. */
export function overlayHealth(instance: Instance, options: HealthOptions): JsonObject {
  const { nodes, now } = instance
  const { rank, fanout, hasErrors } = options
  const duration = (node: Node | undefined) => (now - (node?.changedAt ?? now)) / 1000
  return {
    rank,
    status: healthOf(nodes, rank, fanout),
    duration: duration(nodes[rank]),
    children: childrenOf(nodes, rank, fanout).map((child) => {
      const status = healthOf(nodes, child.rank, fanout)
      const error = hasErrors && status === 'lost' ? 'administrative disconnect' : undefined
      return { rank: child.rank, status, duration: duration(child), ...(error && { error }) }
    }),
  }
}

function childrenOf(nodes: readonly Node[], rank: number, fanout: number): readonly Node[] {
  return nodes.slice(rank * fanout + 1, rank * fanout + fanout + 1)
}

/** Degraded if a broker below is lost, partial if a broker below was never online. */
function healthOf(nodes: readonly Node[], rank: number, fanout: number): Health {
  const node = nodes[rank]
  if (node === undefined || !node.online) return node?.wasOnline ? 'lost' : 'offline'
  const below = childrenOf(nodes, rank, fanout).map((child) => healthOf(nodes, child.rank, fanout))
  if (below.some((health) => health === 'lost' || health === 'degraded')) return 'degraded'
  return below.every((health) => health === 'full') ? 'full' : 'partial'
}
