// What a job asks for, out of its jobspec (RFC 14, RFC 25): the tree of resources, as far as it counts.
import { FluxError } from './errors.ts'
import { isJsonObject, type JsonObject } from './payload.ts'

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
  visitAll(jobspec.resources, { count: 1, inSlot: false, depth: 0 }, found)
  return found
}

type Found = { -readonly [Field in keyof SlotRequest]: SlotRequest[Field] }

/** Where in the tree: how often what is here is there, within one slot once we are in one. */
interface Place {
  readonly count: number
  readonly inSlot: boolean
  readonly depth: number
}

function visitAll(vertices: unknown, place: Place, found: Found): void {
  if (!Array.isArray(vertices)) throw broken('a list of resources', vertices)
  for (const vertex of vertices) {
    if (!isJsonObject(vertex) || place.depth > MAX_DEPTH) throw broken('a resource', vertex)
    const count = place.count * leastOf(vertex.count)
    add(vertex, count, place, found)
    if (vertex.with === undefined) continue
    const isSlot = vertex.type === 'slot'
    const below = { inSlot: place.inSlot || isSlot, depth: place.depth + 1 }
    visitAll(vertex.with, { ...below, count: isSlot ? 1 : count }, found)
  }
}

function add({ type, exclusive }: JsonObject, count: number, { inSlot }: Place, found: Found) {
  if (exclusive === true) found.exclusive = true
  if (type === 'node') found.nodes = (found.nodes ?? 0) + count
  else if (type === 'slot') found.slots += count
  else if (type === 'core' && inSlot) found.cores += count
  else if (type === 'gpu' && inSlot) found.gpus += count
}

/** An integer; or a range as RFC 14 (`{ min }`) or RFC 45 (`"2-5"`, `"2+"`) writes it. */
function leastOf(count: unknown): number {
  const least = isJsonObject(count)
    ? count.min
    : typeof count === 'string'
      ? Number.parseInt(count, 10)
      : count
  if (typeof least === 'number' && Number.isSafeInteger(least) && least >= 0) return least
  throw broken('a count', count)
}

function broken(expected: string, got: unknown): FluxError {
  const shown = String(JSON.stringify(got)).slice(0, 80)
  return new FluxError('FLUX_PROTOCOL', `Cannot read jobspec: expected ${expected}, got ${shown}`)
}
