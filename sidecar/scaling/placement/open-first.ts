// Places a job on ranks that are open now before pods are started for it, where ranks of other clusters (bursting) are open:
// the scheduler starts the job there at once, and it is no demand for ours.
import { type Idset, intersectIdsets, isEmpty, unionIdsets } from '#flux/sets/idset.ts'
import type { Ranks } from '#scaling/ranks.ts'
import type { Ways } from './need.ts'
import type { Domain, Place, Placement } from './placement.ts'

export class OpenFirst {
  readonly #placement: Placement
  readonly #ranks: Pick<Ranks, 'open' | 'burstedOpen'>
  /** The open parts of domains; `undefined` for those without open ranks of other clusters. */
  readonly #open = new Map<Domain, Domain | undefined>()

  constructor(placement: Placement, ranks: Pick<Ranks, 'open' | 'burstedOpen'>) {
    this.#placement = placement
    this.#ranks = ranks
  }

  /** As {@link Placement.place}. */
  place(ways: Ways, domain: Domain): Place {
    const open = this.#openPartOf(domain)
    const place = open && this.#placement.place(ways, open)
    return place?.kind === 'placed' ? place : this.#placement.place(ways, domain)
  }

  #openPartOf(domain: Domain): Domain | undefined {
    const { open, burstedOpen } = this.#ranks
    if (isEmpty(burstedOpen)) return undefined
    if (this.#open.has(domain)) return this.#open.get(domain)
    const part = isEmpty(intersectIdsets(domain.usable, burstedOpen))
      ? undefined
      : domainOf(intersectIdsets(domain.usable, unionIdsets(open, burstedOpen)))
    this.#open.set(domain, part)
    return part
  }
}

function domainOf(ranks: Idset): Domain {
  return { ranks, usable: ranks, startable: ranks }
}
