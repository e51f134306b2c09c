// Which ranks a job's constraint (RFC 31) accepts, by what R says of its ranks: their properties and their hosts.
import type { Constraint } from '#flux/calls/constraint.ts'
import type { SchedStatus } from '#flux/calls/resource-calls.ts'
import { FluxError } from '#flux/errors.ts'
import { expandHosts } from '#flux/sets/hostlist.ts'
import { idsetOf, listIds } from '#flux/sets/id-list.ts'
import {
  EMPTY_IDSET,
  type Idset,
  intersectIdsets,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'

/** What is known of the ranks of R. */
export interface RankAttributes {
  /** Every rank of R. */
  readonly all: Idset
  readonly properties: ReadonlyMap<string, Idset>
  /** Ranks by host, worked out when it is first needed: several ranks may be on one host. */
  hosts(): ReadonlyMap<string, readonly number[]>
}

/** The attributes of the ranks in a scheduler's answer. */
export function rankAttributes({ all, hostlists, properties }: SchedStatus): RankAttributes {
  const ranks = ranksOf(all)
  let hosts: ReadonlyMap<string, readonly number[]> | undefined
  return {
    all: ranks,
    properties,
    hosts: () => {
      hosts ??= ranksByHost(hostlists, listIds(ranks))
      return hosts
    },
  }
}

/** @throws FluxError `FLUX_PROTOCOL` if the hosts are not those of the ranks */
function ranksByHost(
  hostlists: readonly string[],
  ranks: Int32Array,
): ReadonlyMap<string, readonly number[]> {
  const hosts = hostlists.flatMap((list) => expandHosts(list))
  if (hosts.length !== ranks.length) {
    const message = `Cannot find hosts in R: expected ${ranks.length} hosts, got ${hosts.length}`
    throw new FluxError('FLUX_PROTOCOL', message)
  }
  const found = new Map<string, number[]>()
  for (const [index, host] of hosts.entries()) {
    const known = found.get(host)
    const rank = ranks[index] ?? 0
    if (known === undefined) found.set(host, [rank])
    else known.push(rank)
  }
  return found
}

/** The ranks of R that a constraint accepts. */
export function acceptedRanks(constraint: Constraint, attributes: RankAttributes): Idset {
  const { all, properties } = attributes
  switch (constraint.kind) {
    case 'properties': {
      const having = (name: string) => properties.get(name) ?? EMPTY_IDSET
      const wanted = constraint.with.map(having).reduce(intersectIdsets, all)
      return constraint.without.map(having).reduce(subtractIdsets, wanted)
    }
    case 'hosts': {
      const hosts = attributes.hosts()
      const ranks = constraint.hosts.flatMap((host) => hosts.get(host) ?? [])
      return intersectIdsets(idsetOf([...new Set(ranks)].sort((a, b) => a - b)), all)
    }
    case 'ranks':
      return intersectIdsets(constraint.ranks, all)
    case 'and':
      return allOf(constraint.of, attributes)
    case 'or':
      return constraint.of.length === 0
        ? all
        : constraint.of
            .map((one) => acceptedRanks(one, attributes))
            .reduce(unionIdsets, EMPTY_IDSET)
    case 'not':
      return subtractIdsets(all, allOf(constraint.of, attributes))
  }
}

function allOf(constraints: readonly Constraint[], attributes: RankAttributes): Idset {
  return constraints
    .map((one) => acceptedRanks(one, attributes))
    .reduce(intersectIdsets, attributes.all)
}
