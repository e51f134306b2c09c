// The hosts of simulated nodes as hostlists (RFC 29), and the ranks that a hostlist names.
import { expandHosts } from '#flux/sets/hostlist.ts'
import type { Instance } from '#simulation/instance.ts'
import type { Node } from '#simulation/nodes/node.ts'
import { formatIds } from './ids.ts'

/** The hosts of these ranks, which ascend: `flux-sample-[0-1,3]`, `flux-sample-3,burst-0-0`, or `""`. */
export function formatHosts({ nodes, hostPrefix }: Instance, ranks: readonly number[]): string {
  const texts: string[] = []
  let usual: number[] = []
  const endUsual = () => {
    if (usual.length === 1) texts.push(`${hostPrefix}-${formatIds(usual)}`)
    if (usual.length > 1) texts.push(`${hostPrefix}-[${formatIds(usual)}]`)
    usual = []
  }
  for (const rank of ranks) {
    const host = nodes[rank]?.host ?? ''
    if (host === `${hostPrefix}-${rank}`) {
      usual.push(rank)
      continue
    }
    endUsual()
    texts.push(host)
  }
  endUsual()
  return texts.join(',')
}

/** The ranks that a hostlist names, ascending. `undefined` if it names an unknown host. */
export function ranksOfHosts(nodes: readonly Node[], list: string): number[] | undefined {
  const ranks = new Map(nodes.map(({ host, rank }) => [host, rank]))
  const found = expandHosts(list).map((host) => ranks.get(host))
  if (!found.every((rank) => rank !== undefined)) return undefined
  return found.sort((a, b) => a - b)
}
