// Describes in words which drained ranks are still held.
import { formatIdset } from '#flux/sets/idset.ts'
import type { HeldBecause } from '#scaling/drains/held-drains.ts'
import type { Snapshot } from '#scaling/snapshot.ts'

/** Ranks of ours that stay drained for the present. */
export interface HeldDrainExplanation {
  /** An idset (RFC 22). */
  readonly ranks: string
  readonly reason: string
  /** In how many seconds they are undrained, if nothing else happens; `null` if that is not known. */
  readonly untilSeconds: number | null
}

const REASONS: Readonly<Record<HeldBecause, string>> = {
  ending: 'an HPA read a smaller size a moment ago, and their pods may be ending',
  awaited: 'an HPA read a smaller size a moment ago; their pods have not come yet',
  unwanted: 'no job needs them; they are undrained when one does',
  former: 'DRAIN was on; the drains are lifted when no HPA acts on an earlier size',
}

/** @param now what remaining times are counted from */
export function explainHeldDrains(
  { heldDrains = [] }: Snapshot,
  now: Date,
): readonly HeldDrainExplanation[] {
  return heldDrains.map(({ ranks, because, until }) => ({
    ranks: formatIdset(ranks),
    reason: REASONS[because],
    untilSeconds: until === undefined ? null : Math.max(0, until.getTime() - now.getTime()) / 1000,
  }))
}
