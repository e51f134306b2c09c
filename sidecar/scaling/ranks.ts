// Groups the ranks of a MiniCluster by what may happen on them, once for each reading. Pure.
import {
  EMPTY_IDSET,
  highestId,
  type Idset,
  intersectIdsets,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import type { Facts } from '#reading/facts.ts'
import { burstedIn } from '#reading/ranks/pod-ranks.ts'
import { isOwnReason } from './drain-reason.ts'

export interface Ranks {
  /** Every rank of R that is a pod of the MiniCluster, whether or not its pod was ever started. */
  readonly all: Idset
  /** Ranks of R of other clusters (bursting). They are in none of the other sets but {@link foreignDrained}. */
  readonly bursted: Idset
  /** Those of them on which a job may start at any moment: online, and drained by nobody. */
  readonly burstedOpen: Idset
  /** Ranks of ours whose broker is online, those included that were excluded from R while a job runs there. */
  readonly live: Idset
  /**
   * Live ranks that jobs hold, by what Flux shows as allocated and by the ranks of running jobs. A rank that left is not among
   * them, though its job may not be cleaned up yet.
   */
  readonly allocated: Idset
  /** Ranks that the sidecar drained, to shrink; empty without `DRAIN`. */
  readonly ownDrained: Idset
  /** Ranks that others drained, and drained ranks of other clusters. The sidecar never undrains them. */
  readonly foreignDrained: Idset
  /** Live ranks that are not drained: a job may start there at any moment. */
  readonly open: Idset
}

/** @param instance the instance in the reasons of our drains; `undefined`: no drain is ours */
export function ranksIn(
  facts: Pick<Facts, 'all' | 'pods' | 'allocated' | 'running' | 'offline' | 'drains'>,
  instance: string | undefined,
): Ranks {
  const others = burstedIn(facts.pods)
  const bursted = intersectIdsets(others, ranksOf(facts.all))
  const all = subtractIdsets(ranksOf(facts.all), others)
  const held = subtractIdsets(unionIdsets(ranksOf(facts.allocated), facts.running), others)
  const live = subtractIdsets(unionIdsets(all, held), facts.offline)
  let ownDrained = EMPTY_IDSET
  let foreignDrained = EMPTY_IDSET
  for (const { ranks, reason } of facts.drains) {
    const isOwn = instance !== undefined && isOwnReason(instance, reason)
    const own = isOwn ? subtractIdsets(ranks, others) : EMPTY_IDSET
    ownDrained = unionIdsets(ownDrained, own)
    foreignDrained = unionIdsets(foreignDrained, subtractIdsets(ranks, own))
  }
  const drained = unionIdsets(ownDrained, foreignDrained)
  return {
    all,
    bursted,
    burstedOpen: subtractIdsets(bursted, unionIdsets(facts.offline, drained)),
    live,
    allocated: intersectIdsets(held, live),
    ownDrained,
    foreignDrained,
    open: subtractIdsets(live, drained),
  }
}

/** Every rank of R. */
export function everyRank({ all, bursted }: Pick<Ranks, 'all' | 'bursted'>): Idset {
  return unionIdsets(all, bursted)
}

/** The smallest size that has these ranks. */
export function sizeWith(ranks: Idset): number {
  return 1 + (highestId(ranks) ?? -1)
}
