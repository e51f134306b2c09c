// The ranks of a MiniCluster by what may happen on them, worked out once for each reading. Pure.
import {
  EMPTY_IDSET,
  highestId,
  type Idset,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { ranksOf } from '#flux/sets/resource-set.ts'
import type { Facts } from '#reading/facts.ts'
import { isOwnReason } from './drain-reason.ts'

export interface Ranks {
  /** Every rank of R, whether or not its pod was ever started. */
  readonly all: Idset
  /** Ranks of R with a broker. */
  readonly live: Idset
  /** Live ranks with something allocated. A rank that went away holds its job's resources until that is cleaned up. */
  readonly allocated: Idset
  /** Ranks that we drained, to shrink; empty without `DRAIN`. */
  readonly ownDrained: Idset
  /** Ranks that anybody else drained: never touched. */
  readonly foreignDrained: Idset
  /** Live ranks that are not drained: a job may start there at any moment. */
  readonly open: Idset
}

/** @param instance whose drains are ours; `undefined` if none are */
export function ranksIn(
  facts: Pick<Facts, 'all' | 'allocated' | 'offline' | 'drains'>,
  instance: string | undefined,
): Ranks {
  const all = ranksOf(facts.all)
  const live = subtractIdsets(all, facts.offline)
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
    allocated: subtractIdsets(ranksOf(facts.allocated), facts.offline),
    ownDrained,
    foreignDrained,
    open: subtractIdsets(live, unionIdsets(ownDrained, foreignDrained)),
  }
}

/** The size that just has these ranks. */
export function sizeWith(ranks: Idset): number {
  return 1 + (highestId(ranks) ?? -1)
}
