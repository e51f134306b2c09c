// Drains that Flux did not record, because the ranks were drained by us: it keeps the reason that a rank has. That is how Flux
// itself drains a rank whose pod landed on a node that is smaller than R says (resource.verify), and what
// `flux resource drain --update` does. Were ours lifted, jobs would be given such a rank.
import type { Drain, DrainEvent, DrainNews } from '#flux/calls/resource-calls.ts'
import {
  EMPTY_IDSET,
  type Idset,
  intersectIdsets,
  isEmpty,
  subtractIdsets,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { isSidecarReason } from './drain-reason.ts'

export class HiddenDrains {
  /** Ranks by the reason of the latest drain by others that changed no reason. */
  #ranks: ReadonlyMap<string, Idset> = new Map()

  /** Takes what the resource journal tells: at first, and after each new connection, the past. */
  note({ events, isPast }: DrainNews): void {
    if (isPast) this.#ranks = new Map()
    for (const event of events) this.#ranks = ranksAfter(this.#ranks, event)
  }

  /** The drains; those of sidecars with the reason that others gave after them. */
  reveal(drains: readonly Drain[]): readonly Drain[] {
    if (this.#ranks.size === 0) return drains
    return drains.flatMap((drain) => (isSidecarReason(drain.reason) ? this.#split(drain) : [drain]))
  }

  #split(drain: Drain): readonly Drain[] {
    let left = drain.ranks
    const revealed = [...this.#ranks].map(([reason, hidden]) => {
      const ranks = intersectIdsets(left, hidden)
      left = subtractIdsets(left, hidden)
      return { ...drain, ranks, reason }
    })
    return [{ ...drain, ranks: left }, ...revealed].filter(({ ranks }) => !isEmpty(ranks))
  }
}

function ranksAfter(
  before: ReadonlyMap<string, Idset>,
  { kind, ranks, reason, overwrites }: DrainEvent,
): ReadonlyMap<string, Idset> {
  const after = new Map<string, Idset>()
  for (const [known, of] of before) {
    const left = subtractIdsets(of, ranks)
    if (!isEmpty(left)) after.set(known, left)
  }
  if (kind === 'undrain' || overwrites || isSidecarReason(reason) || isEmpty(ranks)) return after
  return after.set(reason, unionIdsets(after.get(reason) ?? EMPTY_IDSET, ranks))
}
