// Queues: which ranks each has, out of the broker's configuration (RFC 33) and the properties of R.
import type { Idset } from '#flux/sets/idset.ts'
import { EMPTY_IDSET, intersectIdsets } from '#flux/sets/idset.ts'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'

/** Virtual queues name a parent; more steps than this are a circle. */
const MAX_PARENTS = 16

/**
 * The ranks that a queue has: those with every property that it requires; `undefined` if it requires nothing, and has all.
 *
 * @param config the broker's configuration
 * @param properties ranks of R by property
 */
export function ranksOfQueue(
  name: string,
  config: JsonObject,
  properties: ReadonlyMap<string, Idset>,
): Idset | undefined {
  const queues = isJsonObject(config.queues) ? config.queues : {}
  let ranks: Idset | undefined
  let next: unknown = name
  for (let step = 0; typeof next === 'string' && step < MAX_PARENTS; step += 1) {
    const queue = queues[next]
    if (!isJsonObject(queue)) break
    for (const property of requirementsOf(next, queue)) {
      const having = properties.get(property) ?? EMPTY_IDSET
      ranks = ranks === undefined ? having : intersectIdsets(ranks, having)
    }
    next = queue.parent
  }
  return ranks
}

/** A queue of hosts has a property of its own: `+` and its name. */
function requirementsOf(name: string, { requires, hosts }: JsonObject): readonly string[] {
  const required = Array.isArray(requires) ? requires.filter((one) => typeof one === 'string') : []
  return hosts === undefined ? required : [...required, `+${name}`]
}
