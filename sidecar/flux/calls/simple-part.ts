// The resources that a job asks for, as sched-simple and the other schedulers of flux-core read them (libjj, libjjc, and
// Rv1Pool since 0.84): numbers of a few types, whatever tree they are in.

import { isJsonObject } from '../wire/payload.ts'
import {
  broken,
  leastOf,
  MAX_COUNT,
  MAX_DEPTH,
  MAX_VERTICES,
  type RequestPart,
} from './jobspec-parts.ts'
import { isSince } from './release.ts'

/** The numbers that count: of each type those of the last vertex. */
interface Counts {
  nodes: number | undefined
  /** What the counts above the last node come to; the nodes are multiplied by it. */
  above: number
  slots: number
  cores: number
  gpus: number
  exclusive: boolean
  verticesLeft: number
}

/**
 * Reads `resources`. What else is in the tree (sockets, L3 caches, memory, …) is looked through, and its count multiplies nodes
 * only: `socket=2/slot=4/core=2` asks for four slots of two cores. Of several slots the last one counts. A slot with nodes in it
 * multiplies the nodes, and is wanted on each of them. An exclusive slot without a node takes a whole one. A whole node must be
 * idle, with the GPUs of one slot.
 *
 * @param version of flux-core. Default: the newest
 * @returns `undefined` if these schedulers refuse the job, as one without slots, without cores or with a count of 0
 * @throws FluxError `FLUX_PROTOCOL` if it is too large, or of another shape
 */
export function parseSimplePart(resources: unknown, version?: string): RequestPart | undefined {
  const counts: Counts = {
    ...{ nodes: undefined, above: 1, slots: 0, cores: 0, gpus: 0 },
    ...{ exclusive: false, verticesLeft: MAX_VERTICES },
  }
  const isValid = walk(resources, { path: 'resources', depth: 0, above: 1 }, counts, {
    multiplies: isSinceOrNewest(version, [0, 73]),
    hasExclusiveSlots: isSinceOrNewest(version, [0, 84]),
  })
  if (!isValid || counts.slots === 0 || counts.cores === 0) return undefined
  const { slots, cores, gpus, exclusive } = counts
  if (counts.nodes === undefined) {
    const nodes = exclusive ? slots : undefined
    return { nodes, slots, cores, gpus, exclusive }
  }
  const nodes = bounded(counts.nodes * counts.above)
  const each = { cores: bounded(slots * cores), gpus: bounded(slots * gpus) }
  const leastGpus = exclusive && each.gpus !== gpus ? { leastGpus: gpus } : {}
  return { nodes, slots: nodes, ...each, exclusive, ...leastGpus }
}

function isSinceOrNewest(version: string | undefined, release: Parameters<typeof isSince>[1]) {
  return version === undefined || isSince(version, release)
}

interface Place {
  readonly path: string
  readonly depth: number
  /** What the counts above come to. */
  readonly above: number
}

interface Release {
  /** Whether what is above nodes multiplies them. */
  readonly multiplies: boolean
  /** Whether a slot can be exclusive. */
  readonly hasExclusiveSlots: boolean
}

/** @returns whether every count is one that these schedulers take */
function walk(
  list: unknown,
  { path, depth, above }: Place,
  counts: Counts,
  release: Release,
): boolean {
  if (!Array.isArray(list)) throw broken(path, 'a list of resources', list)
  if (depth >= MAX_DEPTH) throw broken(path, `at most ${MAX_DEPTH} levels`, depth)
  counts.verticesLeft -= list.length
  if (counts.verticesLeft < 0) {
    throw broken(path, `at most ${MAX_VERTICES} resources`, list.length)
  }
  return list.every((vertex: unknown, index) => {
    const at = `${path}[${index}]`
    if (!isJsonObject(vertex)) throw broken(at, 'a resource', vertex)
    const { type, exclusive, with: below } = vertex
    const count = leastOf(vertex.count, `${at}.count`)
    if (count === 0) return false
    const isExclusive = exclusive === true
    if (type === 'node') {
      counts.nodes = count
      counts.above = above
      counts.exclusive ||= isExclusive
    } else if (type === 'slot') {
      counts.slots = count
      counts.exclusive ||= isExclusive && release.hasExclusiveSlots
    } else if (type === 'core') counts.cores = count
    else if (type === 'gpu') counts.gpus = count
    if (below === undefined) return true
    const factor = type !== 'node' && release.multiplies ? count : 1
    const place = { path: `${at}.with`, depth: depth + 1, above: bounded(above * factor) }
    return walk(below, place, counts, release)
  })
}

function bounded(product: number): number {
  if (product > MAX_COUNT) throw broken('resources', `at most ${MAX_COUNT} in all`, product)
  return product
}
