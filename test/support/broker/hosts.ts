// The hosts of simulated nodes as hostlists (RFC 29), and the ranks that a hostlist names.
import { expandHosts } from '#flux/sets/hostlist.ts'
import { formatIds } from '#simulation/id-pool.ts'
import type { Node } from '#simulation/node.ts'

/** The hosts of these ranks: `flux-sample-[0-1,3]`, `flux-sample-3`, or `""`. */
export function formatHosts(prefix: string, ranks: readonly number[]): string {
  if (ranks.length === 0) return ''
  const ids = formatIds(ranks)
  return ranks.length === 1 ? `${prefix}-${ids}` : `${prefix}-[${ids}]`
}

/** The ranks that a hostlist names, ascending. `undefined` if it names an unknown host. */
export function ranksOfHosts(nodes: readonly Node[], list: string): number[] | undefined {
  const ranks = new Map(nodes.map(({ host, rank }) => [host, rank]))
  const found = expandHosts(list).map((host) => ranks.get(host))
  if (!found.every((rank) => rank !== undefined)) return undefined
  return found.sort((a, b) => a - b)
}
