// The resources that a job asks for, read from its jobspec (RFC 14, RFC 25): a tree of nodes, slots, cores and GPUs becomes
// a few parts that can be placed.

import { isJsonObject, type JsonObject } from '../wire/payload.ts'
import { type Constraint, parseConstraint } from './constraint.ts'
import { nodesOfSlots, rangeOf } from './count-range.ts'
import {
  broken,
  leastOf,
  MAX_COUNT,
  MAX_DEPTH,
  MAX_VERTICES,
  type PartRanges,
  type RequestPart,
} from './jobspec-parts.ts'
import { parseSimplePart } from './simple-part.ts'

/** The resources that a job asks for, as Fluxion reads them. */
export interface ResourceRequest {
  /** Ways to satisfy the job: one is enough, and it needs all of its parts. Neither the ways nor the parts are ever empty. */
  readonly ways: readonly (readonly RequestPart[])[]
  /** The same as sched-simple reads it, if that is something else. */
  readonly simpleWays?: readonly (readonly RequestPart[])[]
  /** Which ranks the job accepts; `undefined`: every rank. */
  readonly constraint: Constraint | undefined
}

/** More alternatives, and more parts, than any jobspec that a person writes has. */
const MAX_WAYS = 16
const MAX_PARTS = 16

/** Alternatives of Fluxion: of siblings of these types one is enough. */
const ALTERNATIVES = ['xor_slot', 'or_slot']

/**
 * Reads `resources` and the constraints of a jobspec.
 *
 * A slot with nodes in it asks for whole nodes, as Fluxion gives them (RFC 14 leaves it open). Any other node asks for the cores
 * and GPUs in it, or for the whole node if there are none. Several slots add up. Resources that R does not have (memory, racks,
 * …) multiply what is in them. Of a range of counts (RFC 14, RFC 22, RFC 45) the least is taken: with it the job can start. Of
 * cores and GPUs of a slot the range is kept, too: Fluxion gives as many as the node has, and then fewer slots fit on it. So it
 * does with nodes of a slot. A job that asks for no node and no slot is refused: it would count as a job that needs nothing.
 *
 * The schedulers of flux-core read many of these shapes in another way: see simple-part.ts.
 *
 * @param version of flux-core. Default: the newest
 * @throws FluxError `FLUX_PROTOCOL` if it is of another shape
 */
export function parseRequest(jobspec: JsonObject, version?: string): ResourceRequest {
  const parsed = new Parser().waysOf(jobspec.resources, {
    path: 'resources',
    count: 1,
    depth: 0,
    exclusive: false,
  })
  const ways = parsed.map(merge)
  const simple = parseSimplePart(jobspec.resources, version)
  return {
    ways,
    ...(simple !== undefined && !isOnly(ways, simple) && { simpleWays: [[simple]] }),
    constraint: constraintOf(jobspec),
  }
}

function isOnly([way = [], ...others]: ResourceRequest['ways'], part: RequestPart): boolean {
  const [only, ...more] = way
  return others.length + more.length === 0 && JSON.stringify(only) === JSON.stringify(part)
}

/** Parts that are alike become one, where that asks for the same. */
function merge(parts: readonly RequestPart[]): readonly RequestPart[] {
  const merged: RequestPart[] = []
  for (const part of parts.filter(({ slots }) => slots > 0)) {
    const index = merged.findIndex((other) => isMergeable(part, other))
    const same = merged[index]
    if (same === undefined) merged.push(part)
    else {
      const nodes = same.nodes === undefined ? undefined : same.nodes + (part.nodes ?? 0)
      merged[index] = { ...same, nodes, slots: same.slots + part.slots }
    }
  }
  if (merged.length === 0) throw broken('resources', 'at least one node or slot', 'none')
  if (merged.length > MAX_PARTS) {
    throw broken('resources', `slots of at most ${MAX_PARTS} sizes`, merged.length)
  }
  return merged
}

/** Nodes that are not whole are kept apart: two parts may share them. */
function isMergeable(one: RequestPart, other: RequestPart): boolean {
  const isApart = one.nodes !== undefined && !(one.exclusive && other.exclusive)
  const isAlike =
    one.cores === other.cores &&
    one.gpus === other.gpus &&
    JSON.stringify(one.ranges) === JSON.stringify(other.ranges)
  return isAlike && !isApart && (one.nodes === undefined) === (other.nodes === undefined)
}

function constraintOf({ attributes }: JsonObject): Constraint | undefined {
  const system = isJsonObject(attributes) ? attributes.system : undefined
  const constraints = isJsonObject(system) ? system.constraints : undefined
  return constraints === undefined ? undefined : parseConstraint(constraints)
}

/** Where in the tree, and how everything there is wanted. */
interface Place {
  readonly path: string
  /** How often. */
  readonly count: number
  readonly depth: number
  /** Whole: what is in a slot, or in something that is not shared. */
  readonly exclusive: boolean
  /** In a slot, and in no node of it. */
  readonly inSlot?: boolean
}

/** Cores and GPUs of one slot or node. */
interface Content {
  readonly cores: number
  readonly gpus: number
  readonly ranges?: PartRanges
}

interface Vertex extends Place {
  readonly type: string
  readonly ranges?: PartRanges
  readonly with: unknown
}

class Parser {
  #verticesLeft = MAX_VERTICES
  /** Every level of a tree may be searched for nodes in turn. */
  #searchesLeft = MAX_VERTICES * MAX_DEPTH

  /** Outside of nodes and of slots without nodes. */
  waysOf(list: unknown, place: Place): readonly (readonly RequestPart[])[] {
    return choices(
      this.#read(list, place),
      (vertex) => this.#waysOfVertex(vertex),
      (one, other) => [...one, ...other],
      [],
    )
  }

  #waysOfVertex(vertex: Vertex): readonly (readonly RequestPart[])[] {
    const { type, count } = vertex
    if (type === 'node') return this.#partsOf(vertex, { nodes: count })
    if (type === 'core' || type === 'gpu') throw broken(vertex.path, 'a node or a slot', type)
    const isSlot = type === 'slot' || ALTERNATIVES.includes(type)
    if (isSlot && !this.#hasNode(vertex.with)) return this.#partsOf(vertex, { nodes: undefined })
    if (vertex.with === undefined) return [[]]
    const isWhole = isSlot || vertex.exclusive
    return this.waysOf(vertex.with, {
      ...{ ...below(vertex, count), exclusive: isWhole },
      inSlot: isSlot || vertex.inSlot === true,
    })
  }

  /** One part for each way in which a node or a slot can be filled. */
  #partsOf(
    vertex: Vertex,
    { nodes }: { readonly nodes: number | undefined },
  ): readonly (readonly RequestPart[])[] {
    const place = { ...below(vertex, 1), inSlot: nodes === undefined }
    const contents = vertex.with === undefined ? [EMPTY] : this.#contentsOf(vertex.with, place)
    return contents.map((content) => {
      const isEmpty = content.cores + content.gpus === 0
      const isWhole = nodes !== undefined && (vertex.exclusive || isEmpty)
      return [{ nodes, slots: vertex.count, ...content, exclusive: isWhole }]
    })
  }

  /** Within one node or slot. */
  #contentsOf(list: unknown, place: Place): readonly Content[] {
    return choices(
      this.#read(list, place),
      (vertex) => this.#contentsOfVertex(vertex),
      addContents,
      EMPTY,
    )
  }

  #contentsOfVertex(vertex: Vertex): readonly Content[] {
    const { type, count, path, ranges } = vertex
    if (type === 'node') throw broken(path, 'no node in a node', type)
    if (type === 'core') return [{ cores: count, gpus: 0, ...(ranges && { ranges }) }]
    if (type === 'gpu') return [{ cores: 0, gpus: count, ...(ranges && { ranges }) }]
    if (vertex.with === undefined) return [EMPTY]
    const inSlot = vertex.inSlot === true || type === 'slot'
    return this.#contentsOf(vertex.with, { ...below(vertex, count), inSlot })
  }

  /** Whether there is a node among these resources or in them. What {@link #read} will refuse as too large is not searched. */
  #hasNode(list: unknown, depth = 0): boolean {
    if (!Array.isArray(list) || depth > MAX_DEPTH) return false
    this.#searchesLeft -= list.length
    if (this.#searchesLeft < 0) return false
    return list.some(
      (vertex: unknown) =>
        isJsonObject(vertex) && (vertex.type === 'node' || this.#hasNode(vertex.with, depth + 1)),
    )
  }

  #read(list: unknown, { path, count, depth, ...place }: Place): readonly Vertex[] {
    if (!Array.isArray(list)) throw broken(path, 'a list of resources', list)
    this.#verticesLeft -= list.length
    if (this.#verticesLeft < 0) throw broken(path, `at most ${MAX_VERTICES} resources`, list.length)
    return list.map((vertex: unknown, index) => {
      const at = `${path}[${index}]`
      if (!isJsonObject(vertex)) throw broken(at, 'a resource', vertex)
      const { type } = vertex
      if (typeof type !== 'string') throw broken(`${at}.type`, 'a string', type)
      if (depth >= MAX_DEPTH) throw broken(at, `at most ${MAX_DEPTH} levels`, type)
      const least = count * leastOf(vertex.count, `${at}.count`)
      const isNodeOfSlot = place.inSlot && type === 'node'
      const product = isNodeOfSlot ? nodesOfSlots(vertex.count, count) : least
      if (product > MAX_COUNT) throw broken(`${at}.count`, `at most ${MAX_COUNT} in all`, product)
      const exclusive = place.exclusive || vertex.exclusive === true
      const isCounted = place.inSlot && (type === 'core' || type === 'gpu')
      const range = isCounted ? rangeOf(vertex.count, count) : undefined
      return {
        ...{ ...place, path: at, count: product, depth, type, exclusive, with: vertex.with },
        ...(range && { ranges: type === 'core' ? { cores: range } : { gpus: range } }),
      }
    })
  }
}

const EMPTY: Content = { cores: 0, gpus: 0 }

function below({ path, depth, exclusive }: Vertex, count: number): Place {
  return { path: `${path}.with`, count, depth: depth + 1, exclusive }
}

function addContents(one: Content, other: Content): Content {
  const ranges = (one.ranges || other.ranges) && { ...one.ranges, ...other.ranges }
  const sum = { cores: one.cores + other.cores, gpus: one.gpus + other.gpus }
  return ranges === undefined ? sum : { ...sum, ranges }
}

/** What siblings come to: each in every way that it has, and of the alternatives among them one. */
function choices<T>(
  vertices: readonly Vertex[],
  waysOf: (vertex: Vertex) => readonly T[],
  add: (one: T, other: T) => T,
  nothing: T,
): readonly T[] {
  const isAlternative = ({ type }: Vertex) => ALTERNATIVES.includes(type)
  const alternatives = vertices.filter(isAlternative)
  const groups = [
    ...vertices.filter((vertex) => !isAlternative(vertex)).map(waysOf),
    ...(alternatives.length > 0 ? [alternatives.flatMap(waysOf)] : []),
  ]
  let ways: readonly T[] = [nothing]
  for (const group of groups) {
    ways = ways.flatMap((one) => group.map((other) => add(one, other)))
    if (ways.length > MAX_WAYS)
      throw broken('resources', `at most ${MAX_WAYS} alternatives`, ways.length)
  }
  return ways
}
