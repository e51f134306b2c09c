// The state of each rank, for a picture: every rank of R has exactly one. Pure.
import {
  EMPTY_IDSET,
  formatIdset,
  type Idset,
  idsBetween,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { sizeWith } from '#scaling/ranks.ts'
import { publishedSize } from '#scaling/sizes.ts'
import type { Snapshot } from '#scaling/snapshot.ts'

/** What a rank does. */
export type RankState =
  /** Of another cluster (bursting). */
  | 'bursted'
  /** Drained by the sidecar, and a job still runs there. */
  | 'draining'
  /** Drained by the sidecar, before or after a smaller size. */
  | 'leaving'
  /** Drained by somebody else, and a job still runs there. */
  | 'drained busy'
  /** Drained by somebody else. */
  | 'drained'
  /** Online, but it does not answer. */
  | 'torpid'
  /** Online, but the scheduler gives it no job. */
  | 'closed'
  /** A job has something of it. */
  | 'busy'
  /** A job may start there at any moment. */
  | 'free'
  /** Given up after a long time offline. */
  | 'lost'
  /** Below the size, and not up. */
  | 'coming'
  /** Beyond the size, and not up. */
  | 'absent'

/** Ranks in one state. */
export interface RanksInState {
  readonly state: RankState
  /** An idset (RFC 22). */
  readonly ranks: string
}

/** The ranks by state; states without ranks are left out. */
export function explainRanks(snapshot: Snapshot): readonly RanksInState[] {
  const { ranks, torpid, closed = EMPTY_IDSET, lost, sizes } = snapshot
  const published = publishedSize(sizes)
  const expected = typeof published === 'number' ? published : sizeWith(ranks.live)
  const { ownDrained, foreignDrained, allocated, live } = ranks
  const everything = unionIdsets(unionIdsets(ranks.all, live), ranks.bursted)
  let left = everything
  const inStates: RanksInState[] = []
  const take = (state: RankState, wanted: Idset) => {
    const found = intersectIdsets(left, wanted)
    left = subtractIdsets(left, found)
    if (!isEmpty(found)) inStates.push({ state, ranks: formatIdset(found) })
  }
  take('bursted', ranks.bursted)
  take('lost', lost)
  take('drained busy', intersectIdsets(foreignDrained, allocated))
  take('drained', foreignDrained)
  take('coming', subtractIdsets(idsBetween(0, expected), live))
  take('absent', subtractIdsets(everything, live))
  take('draining', intersectIdsets(ownDrained, allocated))
  take('leaving', ownDrained)
  take('torpid', torpid)
  take('closed', closed)
  take('busy', allocated)
  take('free', everything)
  return inStates
}
