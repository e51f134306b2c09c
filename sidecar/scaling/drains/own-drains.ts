// Our own drains: which of them may be lifted. A rank is undrained only when no HPA that acts on an earlier, smaller size
// can still end its pod.
//
// Let a size up to the rank have been read for the last time at a moment x. Pods that the HPA ends for it, or for any size
// that it read before, are being ended by x + 14 s at the latest ({@link PublishedSizes.danger}). Later turns of the HPA read
// larger sizes and do not end the rank's pod. So there are two cases:
//
// - The rank was absent at every reading from x until the pods were being ended. A pod that was being ended has not joined
//   by then and does not join any more. A pod that joins from now on is not being ended and will not be. The rank is
//   undrained at once, before it joins if we have read Flux in time. This holds however late its pod joins, and for whichever
//   size it was created.
// - The rank was live at some moment since x. Its pod may be in its grace of 30 s, in which it looks like any other. The
//   rank waits until such a pod would be gone, also if it leaves and joins again meanwhile: a broker that loses its
//   connection for a moment (a blip) looks like a new pod.
//
// It is assumed that one HPA sets `spec.size`; that people do not lower it by hand; that pods are being ended within 14 s of
// the reading; and that a broker that lost its connection is back within 30 s, or its pod has ended: a rank that we saw leave
// must have been absent for this time. A sidecar that starts counts the moment of its first reading as x for every rank, because
// an earlier process may have published any size until then. If no client asked for a size lately, sizes may be read elsewhere:
// then a size counts as read until it was replaced.
import { idsetOf } from '#flux/sets/id-list.ts'
import {
  hasId,
  type Idset,
  idsBetween,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
} from '#flux/sets/idset.ts'
import type { Ranks } from '#scaling/ranks.ts'
import { type Absences, filterIds } from './absences.ts'
import type { HeldBecause, HeldDrain } from './held-drains.ts'
import { GONE_MS, type PublishedSizes } from './published-sizes.ts'

/** A broker that lost its connection is back within this time, or its pod has ended. */
const BLIP_MS = 30_000

/** How often Flux is read to undrain an absent rank before it joins. */
const LOOK_MS = 1_000

/** Drains of ours. */
export interface Liftable {
  /** Ranks to undrain. */
  readonly ranks: Idset
  /** The rest, and until when they are held. */
  readonly held: readonly HeldDrain<number>[]
  /** When to read Flux again for the rest; `undefined` if nothing that is wanted stays drained. */
  readonly lookAt: number | undefined
}

/** What is known of the past: what was published and read, and which ranks were absent when. */
export interface Past {
  readonly sizes: PublishedSizes
  readonly absences: Absences
}

/** @param target the size that is wanted */
export function liftableDrains(
  now: number,
  { live, ownDrained }: Pick<Ranks, 'live' | 'ownDrained'>,
  target: number,
  { sizes, absences }: Past,
): Liftable {
  const wanted = intersectIdsets(ownDrained, idsBetween(0, target))
  const ending = new Map<number, number[]>()
  const awaited = new Map<number, number[]>()
  const ranks = filterIds(wanted, (rank) => {
    const { readAt, endedBy } = sizes.danger(now, rank)
    const goneBy = endedBy + GONE_MS
    if (now >= goneBy) return true
    const absence = absences.of(rank)
    const wasAbsent = absence !== undefined && absence.since <= readAt
    const newBy = absence?.hasLeft ? Math.max(endedBy, absence.since + BLIP_MS) : endedBy
    if (wasAbsent && absence.until >= newBy) return true
    if (wasAbsent && !hasId(live, rank)) addTo(awaited, newBy, rank)
    else addTo(ending, goneBy, rank)
    return false
  })
  const unwanted = subtractIdsets(ownDrained, wanted)
  const times = [...[...awaited.keys()].map((at) => Math.min(at, now + LOOK_MS)), ...ending.keys()]
  return {
    ranks,
    held: [
      ...heldUntil(ending, 'ending'),
      ...heldUntil(awaited, 'awaited'),
      ...(isEmpty(unwanted)
        ? []
        : [{ ranks: unwanted, because: 'unwanted' as const, until: undefined }]),
    ],
    lookAt: times.length === 0 ? undefined : Math.min(...times),
  }
}

function addTo(ranks: Map<number, number[]>, until: number, rank: number): void {
  const group = ranks.get(until)
  if (group === undefined) ranks.set(until, [rank])
  else group.push(rank)
}

function heldUntil(
  ranks: ReadonlyMap<number, readonly number[]>,
  because: HeldBecause,
): readonly HeldDrain<number>[] {
  return [...ranks].map(([until, ids]) => ({ ranks: idsetOf(ids), because, until }))
}
