// Finds the ranks of each queue from the broker's configuration (RFC 33) and the properties of R. Pure.
import { EMPTY_IDSET, type Idset, intersectIdsets } from '#flux/sets/idset.ts'
import { isJsonObject, type JsonObject } from '#flux/wire/payload.ts'

/** Virtual queues name a parent queue. A chain that is longer than this is a circle. */
const MAX_PARENTS = 16

/**
 * The ranks that have every property that a queue requires. `undefined` if it requires none: then it has all ranks.
 *
 * @param config the broker's configuration
 * @param properties the ranks of R by property
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
      const matching = properties.get(property) ?? EMPTY_IDSET
      ranks = ranks === undefined ? matching : intersectIdsets(ranks, matching)
    }
    next = queue.parent
  }
  return ranks
}

/** Flux marks the ranks of a queue with `hosts` by a property: `+` and the name of the queue. */
function requirementsOf(name: string, { requires, hosts }: JsonObject): readonly string[] {
  const required = Array.isArray(requires) ? requires.filter((one) => typeof one === 'string') : []
  return hosts === undefined ? required : [...required, `+${name}`]
}
