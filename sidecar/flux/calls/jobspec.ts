// Reads the resources that a job requests from its jobspec (RFC 14, RFC 25): slots, nodes, cores and GPUs.

import { FluxError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../wire/payload.ts'
import { show } from './answer.ts'

/** The slots of a job, and the resources of each slot. */
export interface SlotRequest {
  /** `undefined` if the job does not request nodes. */
  readonly nodes: number | undefined
  /** All slots of the job. */
  readonly slots: number
  /** Per slot. */
  readonly cores: number
  /** Per slot. */
  readonly gpus: number
  readonly exclusive: boolean
}

/** Deeper than any real tree of resources. */
const MAX_DEPTH = 16

/**
 * Reads `resources` of a jobspec:
 *
 *     [{ type: "slot", count, with: [{ type: "core", count }, { type: "gpu", count }] }], or the same below a "node"
 *
 * RFC 14 allows a range for a count. Its smallest number is used: the job can start with it.
 *
 * @throws FluxError `FLUX_PROTOCOL` if `resources` has another form
 */
export function parseSlotRequest(jobspec: JsonObject): SlotRequest {
  const found: Found = { nodes: undefined, slots: 0, cores: 0, gpus: 0, exclusive: false }
  visitAll(jobspec.resources, { path: 'resources', count: 1, inSlot: false, depth: 0 }, found)
  return found
}

type Found = { -readonly [Field in keyof SlotRequest]: SlotRequest[Field] }

/** A place in the tree. */
interface Place {
  readonly path: string
  /** How many times the resource at this place is requested: in all, or per slot below a slot. */
  readonly count: number
  readonly inSlot: boolean
  readonly depth: number
}

function visitAll(vertices: unknown, place: Place, found: Found): void {
  if (!Array.isArray(vertices)) throw broken(place.path, 'a list of resources', vertices)
  for (const [index, vertex] of vertices.entries()) {
    const path = `${place.path}[${index}]`
    if (!isJsonObject(vertex)) throw broken(path, 'a resource', vertex)
    if (place.depth >= MAX_DEPTH) throw broken(path, `at most ${MAX_DEPTH} levels`, vertex.type)
    const count = place.count * leastOf(vertex.count, `${path}.count`)
    add(vertex, { ...place, path, count }, found)
    if (vertex.with === undefined) continue
    const isSlot = vertex.type === 'slot'
    const below = { inSlot: place.inSlot || isSlot, depth: place.depth + 1, path: `${path}.with` }
    visitAll(vertex.with, { ...below, count: isSlot ? 1 : count }, found)
  }
}

function add(vertex: JsonObject, { path, count, inSlot }: Place, found: Found): void {
  const { type, exclusive } = vertex
  if (type === 'node') {
    // A slot of several nodes is not allowed in the jobspec version that brokers accept (RFC 25).
    if (inSlot) throw broken(path, 'no node in a slot', vertex)
    found.nodes = (found.nodes ?? 0) + count
    // Only for a node: an exclusive core or slot does not exclude other jobs from the node.
    if (exclusive === true) found.exclusive = true
  } else if (type === 'slot') found.slots += count
  else if (type === 'core' && inSlot) found.cores += count
  else if (type === 'gpu' && inSlot) found.gpus += count
}

/** The smallest number of a range (RFC 45, `"2-5"`, `"[2+]"`) or of an idset. */
const LEAST = /^\[?(\d+)(?=[-+:,\]]|$)/

/** `count` is an integer, or a range in the form of RFC 14 (`{ min }`) or RFC 45. */
function leastOf(count: unknown, path: string): number {
  const [, text] = (typeof count === 'string' && LEAST.exec(count)) || []
  const least = text !== undefined ? Number(text) : isJsonObject(count) ? count.min : count
  if (typeof least === 'number' && Number.isSafeInteger(least) && least >= 0) return least
  throw broken(path, 'a count', count)
}

function broken(path: string, expected: string, got: unknown): FluxError {
  const message = `Cannot read jobspec at ${path}: expected ${expected}, got ${show(got)}`
  return new FluxError('FLUX_PROTOCOL', message)
}
