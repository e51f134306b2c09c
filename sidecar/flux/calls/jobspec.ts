// What a job asks for, out of its jobspec (RFC 14, RFC 25): the tree of resources, as far as it counts.

import { FluxError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../wire/payload.ts'
import { show } from './answer.ts'

/** The slots of a job, and what is in each. */
export interface SlotRequest {
  /** `undefined` if the job does not ask for nodes. */
  readonly nodes: number | undefined
  /** All slots of the job. */
  readonly slots: number
  /** Per slot. */
  readonly cores: number
  /** Per slot. */
  readonly gpus: number
  readonly exclusive: boolean
}

/** Deeper than any resource tree there is. */
const MAX_DEPTH = 16

/**
 * Reads `resources` of a jobspec:
 *
 *     [{ type: "slot", count, with: [{ type: "core", count }, { type: "gpu", count }] }], perhaps below a "node"
 *
 * Of a range, which RFC 14 allows for a count, its least is taken: what the job can start with.
 *
 * @throws FluxError `FLUX_PROTOCOL` if it is of another shape
 */
export function parseSlotRequest(jobspec: JsonObject): SlotRequest {
  const found: Found = { nodes: undefined, slots: 0, cores: 0, gpus: 0, exclusive: false }
  visitAll(jobspec.resources, { path: 'resources', count: 1, inSlot: false, depth: 0 }, found)
  return found
}

type Found = { -readonly [Field in keyof SlotRequest]: SlotRequest[Field] }

/** Where in the tree: how often what is here is there, within one slot once we are in one. */
interface Place {
  readonly path: string
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
    // Slots of several nodes are of no version that brokers take (RFC 25).
    if (inSlot) throw broken(path, 'no node in a slot', vertex)
    found.nodes = (found.nodes ?? 0) + count
    // Of a core or a slot it says only that nobody shares these.
    if (exclusive === true) found.exclusive = true
  } else if (type === 'slot') found.slots += count
  else if (type === 'core' && inSlot) found.cores += count
  else if (type === 'gpu' && inSlot) found.gpus += count
}

/** The least number of a range (RFC 45, `"2-5"`, `"[2+]"`) or of an idset. */
const LEAST = /^\[?(\d+)(?=[-+:,\]]|$)/

/** An integer; or a range as RFC 14 (`{ min }`) or RFC 45 writes it. */
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
