// Drains that Flux did not record, because the ranks were drained by us: it keeps the reason that a rank has. That is how Flux
// itself drains a rank whose pod landed on a node that is smaller than R says (resource.verify), and what
// `flux resource drain --update` does. Were ours lifted, jobs would be given such a rank.
import type { Drain, DrainEvent, DrainNews } from '#flux/calls/resource-calls.ts'
import { idsetOf, listIds } from '#flux/sets/id-list.ts'
import { idsBetween, intersectIdsets, isEmpty, subtractIdsets } from '#flux/sets/idset.ts'
import { isSidecarReason } from './drain-reason.ts'

/** More ranks than any instance has: what an event says of others is not kept. */
const RANKS = idsBetween(0, 2 ** 17)

export class HiddenDrains {
  /** The reason of the latest drain by others that changed no reason, by rank: ranks may have a thousand reasons. */
  #reasons = new Map<number, string>()

  /** Takes what the resource journal tells: at first, and after each new connection, the past. */
  note({ events, isPast }: DrainNews): void {
    if (isPast) this.#reasons = new Map()
    for (const event of events) this.#noteOne(event)
  }

  /** The drains; those of sidecars with the reason that others gave after them. */
  reveal(drains: readonly Drain[]): readonly Drain[] {
    if (this.#reasons.size === 0) return drains
    return drains.flatMap((drain) => (isSidecarReason(drain.reason) ? this.#split(drain) : [drain]))
  }

  #noteOne({ kind, ranks, reason, overwrites }: DrainEvent): void {
    const isHidden = kind === 'drain' && !overwrites && !isSidecarReason(reason)
    for (const rank of listIds(intersectIdsets(ranks, RANKS))) {
      if (isHidden) this.#reasons.set(rank, reason)
      else this.#reasons.delete(rank)
    }
  }

  #split(drain: Drain): readonly Drain[] {
    const noted = idsetOf([...this.#reasons.keys()].sort((a, b) => a - b))
    const hidden = intersectIdsets(drain.ranks, noted)
    const byReason = Map.groupBy(listIds(hidden), (rank) => this.#reasons.get(rank) ?? '')
    const revealed = [...byReason].map(([reason, ranks]) => {
      return { ...drain, ranks: idsetOf(ranks), reason }
    })
    const left = { ...drain, ranks: subtractIdsets(drain.ranks, hidden) }
    return [left, ...revealed].filter(({ ranks }) => !isEmpty(ranks))
  }
}
