// Makes requests small: parts of a job that ask for nothing go, parts that are alike become one, and what has more parts than
// any job that a person writes is not known. Pure.
import type { RequestPart, ResourceRequest } from '#flux/calls/jobspec.ts'
import { type Unknown, unknown } from './unknown.ts'

/** Parts of one way. Each is placed on its own. */
const MAX_PARTS = 16

const TOO_MANY = unknown(`a job asks for more than ${MAX_PARTS} kinds of slots and nodes at once`)

type Way = ResourceRequest['ways'][number]

export function simplifyRequest(request: ResourceRequest): ResourceRequest | Unknown {
  const ways = request.ways.map(mergeParts)
  return ways.some(({ length }) => length > MAX_PARTS) ? TOO_MANY : { ...request, ways }
}

/** Slots that may be spread, and whole nodes, are given the same ranks together as one after the other. */
function mergeParts(way: Way): Way {
  const merged = new Map<string, RequestPart>()
  for (const [index, part] of way.entries()) {
    const { nodes, slots, cores, gpus, exclusive } = part
    if (slots === 0 || nodes === 0) continue
    const isPlain = nodes === undefined || (exclusive && nodes === slots)
    const kind = `${nodes === undefined} ${cores} ${gpus} ${exclusive} ${isPlain ? '' : index}`
    const before = merged.get(kind)
    merged.set(kind, before === undefined ? part : together(before, part))
  }
  return [...merged.values()]
}

function together(one: RequestPart, other: RequestPart): RequestPart {
  const nodes =
    one.nodes === undefined || other.nodes === undefined ? undefined : one.nodes + other.nodes
  return { ...one, nodes, slots: one.slots + other.slots }
}
