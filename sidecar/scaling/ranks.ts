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
import { isOwnReason } from './drain-reason.ts'

export interface Ranks {
  /** Every rank of R, whether or not its pod was ever started. */
  readonly all: Idset
  /** Ranks of R whose broker is online, and ranks that were excluded from R while a job runs there. */
  readonly live: Idset
  /**
   * Live ranks that jobs hold, by what Flux shows as allocated and by the ranks of running jobs. A rank that left is not among
   * them, though its job may not be cleaned up yet.
   */
  readonly allocated: Idset
  /** Ranks that the sidecar drained, to shrink; empty without `DRAIN`. */
  readonly ownDrained: Idset
  /** Ranks that others drained. The sidecar never undrains them. */
  readonly foreignDrained: Idset
  /** Live ranks that are not drained: a job may start there at any moment. */
  readonly open: Idset
}

/** @param instance the instance in the reasons of our drains; `undefined`: no drain is ours */
export function ranksIn(
  facts: Pick<Facts, 'all' | 'allocated' | 'running' | 'offline' | 'drains'>,
  instance: string | undefined,
): Ranks {
  const all = ranksOf(facts.all)
  const held = unionIdsets(ranksOf(facts.allocated), facts.running)
  const live = subtractIdsets(unionIdsets(all, held), facts.offline)
  let ownDrained = EMPTY_IDSET
  let foreignDrained = EMPTY_IDSET
  for (const { ranks, reason } of facts.drains) {
    const isOwn = instance !== undefined && isOwnReason(instance, reason)
    if (isOwn) ownDrained = unionIdsets(ownDrained, ranks)
    else foreignDrained = unionIdsets(foreignDrained, ranks)
  }
  return {
    all,
    live,
    allocated: intersectIdsets(held, live),
    ownDrained,
    foreignDrained,
    open: subtractIdsets(live, unionIdsets(ownDrained, foreignDrained)),
  }
}

/** The smallest size that has these ranks. */
export function sizeWith(ranks: Idset): number {
  return 1 + (highestId(ranks) ?? -1)
}
