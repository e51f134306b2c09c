// Resource sets of a simulated instance, as brokers write them (RFC 20). Their form depends on the module that answers.
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Instance } from '#simulation/instance.ts'
import type { Node } from '#simulation/nodes/node.ts'
import { formatHosts } from './hosts.ts'
import { formatIds } from './ids.ts'
import type { Release } from './release.ts'

/**
 * The module that writes the set. The resources are the same, but an empty set has the hosts `[""]` from flux-core, no hosts
 * from the Python scheduler, and is `null` from Fluxion. The entries of Fluxion are not in the order of ranks.
 */
export type Author = 'core' | 'python' | 'fluxion'

/** The part of a node that is in a set. */
interface Part {
  readonly node: Node
  readonly cores: string
  readonly gpus: string
}

/** The three sets of `resource.sched-status` and `sched.resource-status`. */
export function schedStatus(instance: Instance, author: Author): JsonObject {
  const nodes = instance.nodes.filter(({ excluded }) => !excluded)
  const write = (parts: readonly Part[]) => writeSet(instance, parts, author)
  return {
    all: writeSet(instance, nodes.map(whole), author === 'python' ? 'core' : author),
    allocated: write(
      nodes
        .filter(({ allocated }) => allocated)
        .map((node) => ({ node, cores: node.cores.takenText, gpus: node.gpus.takenText })),
    ),
    down: write(nodes.filter(({ online, drain }) => !online || drain !== undefined).map(whole)),
  }
}

/** The answer to `resource.status`. */
export function resourceStatus(instance: Instance, release: Release): JsonObject {
  const { nodes } = instance
  const ranks = (has: (node: Node) => boolean) =>
    formatIds(nodes.filter(has).map(({ rank }) => rank))
  return {
    R: writeSet(instance, nodes.map(whole), 'core'),
    drain: drains(nodes),
    online: ranks(({ online }) => online),
    offline: ranks(({ online }) => !online),
    exclude: ranks(({ excluded }) => excluded),
    ...(release.has('torpid') && { torpid: '' }),
  }
}

/** R with all nodes of the instance. */
export function wholeSet(instance: Instance): JsonObject | null {
  return writeSet(instance, instance.nodes.map(whole), 'core')
}

function whole(node: Node): Part {
  return { node, cores: node.cores.text, gpus: node.gpus.text }
}

function drains(nodes: readonly Node[]): JsonObject {
  const together = Map.groupBy(
    nodes.filter(({ drain }) => drain !== undefined),
    ({ drain }) => drain,
  )
  return Object.fromEntries(
    [...together].map(([drain, drained]) => [
      formatIds(drained.map(({ rank }) => rank)),
      { timestamp: drain?.timestamp, reason: drain?.reason },
    ]),
  )
}

function writeSet(instance: Instance, parts: readonly Part[], author: Author): JsonObject | null {
  const ranks = parts.map(({ node }) => node.rank)
  if (author === 'fluxion' && ranks.length === 0) return null
  const hosts = formatHosts(instance, ranks)
  const properties = writeProperties(instance, ranks)
  return {
    version: 1,
    execution: {
      R_lite: writeEntries(parts, author),
      starttime: 0,
      expiration: 0,
      ...(author !== 'python' && { nodelist: [hosts] }),
      ...(properties !== undefined && { properties }),
    },
  }
}

/** Ranks with the same children share an entry, also if they are not neighbours. */
function writeEntries(parts: readonly Part[], author: Author): readonly JsonObject[] {
  const groups = [...Map.groupBy(parts, ({ cores, gpus }) => `${cores};${gpus}`).values()]
  if (author === 'fluxion') groups.sort(([a], [b]) => compareAsFluxion(a, b))
  return groups.map((group) => {
    const [{ cores = '', gpus = '' } = {}] = group
    const children = { ...(cores !== '' && { core: cores }), ...(gpus !== '' && { gpu: gpus }) }
    return { rank: formatIds(group.map(({ node }) => node.rank)), children }
  })
}

/** By the text of the ids, as in the recorded answers, not by rank. */
function compareAsFluxion(a: Part | undefined, b: Part | undefined): number {
  const keyOf = ({ cores = '', gpus = '' }: Partial<Part> = {}) => `${cores};${gpus || '~'}`
  return keyOf(a) < keyOf(b) ? -1 : 1
}

function writeProperties(instance: Instance, ranks: readonly number[]): JsonObject | undefined {
  if (instance.queues.size === 0) return undefined
  const properties: Record<string, string> = {}
  for (const [name, queue] of instance.queues) {
    const members = new Set(queue.nodes.map(({ rank }) => rank))
    const held = ranks.filter((rank) => members.has(rank))
    if (held.length > 0) properties[name] = formatIds(held)
  }
  return Object.keys(properties).length === 0 ? undefined : properties
}
