// Places jobs on ranks: first fit, the lowest rank first, on resources that are free or become free when a pod starts. Which
// jobs and which ranks count is decided in pending-placement.ts. Pure.
import { countIds } from '#flux/sets/idset.ts'
import type { ResourceSet } from '#flux/sets/resource-set.ts'
import type { Need } from './need.ts'

/** The ranks on which a job may be placed, in ascending order. */
export interface Domain {
  /** Every rank that the job's queue has in R. A job that does not fit on them never starts. */
  readonly ranks: Int32Array
  /** The ranks that can be given to jobs now, or when their pods have started. */
  readonly usable: Int32Array
  /** The usable and the lost ranks. Only a job that does not fit on the usable ranks waits for lost ones. */
  readonly startable: Int32Array
}

/** Where a job would be placed. */
export type Place =
  | { readonly kind: 'placed'; readonly ranks: readonly number[] }
  /** The job does not fit beside other jobs. It would fit on these ranks if they were free, so it waits for jobs to end. */
  | { readonly kind: 'waits'; readonly ranks: readonly number[] }
  /** The job would not fit even if all ranks of its queue were free. */
  | { readonly kind: 'infeasible' }

/** The cores and GPUs of each rank. The index is the rank. */
interface Capacity {
  readonly cores: Int32Array
  readonly gpus: Int32Array
}

/** Places one job after the other. A job that is placed takes its resources from those that the next jobs find. */
export class Placement {
  readonly #total: Capacity
  readonly #free: Capacity
  /** 1 for a rank with nothing allocated and nothing placed. */
  readonly #idle: Uint8Array
  readonly #earlierSearches = new Map<Domain, Map<string, EarlierSearches>>()

  /**
   * @param all R
   * @param free the resources that no job holds; all resources of a rank that is not live
   */
  constructor(all: ResourceSet, free: ResourceSet) {
    const size = (all.segments.at(-1)?.last ?? -1) + 1
    this.#total = fill(all, size)
    this.#free = fill(free, size)
    const { cores, gpus } = this.#total
    this.#idle = Uint8Array.from(cores, (count, rank) =>
      count === this.#free.cores[rank] && gpus[rank] === this.#free.gpus[rank] ? 1 : 0,
    )
  }

  /** Places a job. It takes its resources if it fits now. */
  place(need: Need, domain: Domain): Place {
    const earlier = this.#earlierSearchesFor(need, domain)
    const wanted = need.nodes ?? need.slots
    if (wanted < earlier.tooMany) {
      const found = this.#spread(need, domain.usable, this.#free, earlier)
      if (found !== undefined) return { kind: 'placed', ranks: this.#take(need, found) }
      earlier.tooMany = wanted
    }
    return this.#placeWithoutOthers(need, domain, earlier)
  }

  /** Where a job would be placed if there were no other jobs: the same for all jobs of its kind and size. */
  #placeWithoutOthers(need: Need, domain: Domain, earlier: EarlierSearches): Place {
    const wanted = need.nodes ?? need.slots
    let place = earlier.withoutOthers.get(wanted)
    if (place === undefined) {
      const fits = this.#spread(need, domain.ranks, this.#total) !== undefined
      const shares = fits
        ? (this.#spread(need, domain.usable, this.#total) ??
          this.#spread(need, domain.startable, this.#total))
        : undefined
      // No ranks if the job needs some that are drained or torpid: starting pods would not help it.
      const ranks = shares?.map(({ rank }) => rank) ?? []
      place = fits ? { kind: 'waits', ranks } : { kind: 'infeasible' }
      earlier.withoutOthers.set(wanted, place)
    }
    return place
  }

  /** The ranks that the job would be given with their slots, or `undefined` if there are too few. */
  #spread(
    need: Need,
    ranks: Int32Array,
    capacity: Capacity,
    earlier?: EarlierSearches,
  ): readonly Share[] | undefined {
    const shares: Share[] = []
    const perNode = slotsPerNode(need)
    let left = need.nodes ?? need.slots
    for (let index = earlier?.firstFit ?? 0; index < ranks.length && left > 0; index += 1) {
      const rank = ranks[index] ?? 0
      const isTaken = earlier !== undefined && need.exclusive && this.#idle[rank] === 0
      const slots = isTaken ? 0 : slotsOn(rank, need, capacity)
      if (slots < (perNode ?? 1)) continue
      if (shares.length === 0 && earlier !== undefined) earlier.firstFit = index
      const share = perNode === undefined ? Math.min(slots, left) : 1
      shares.push({ rank, slots: perNode ?? share })
      left -= share
    }
    return left > 0 ? undefined : shares
  }

  #take(need: Need, shares: readonly Share[]): readonly number[] {
    const { cores, gpus } = this.#free
    return shares.map(({ rank, slots }) => {
      this.#idle[rank] = 0
      cores[rank] = need.exclusive ? 0 : (cores[rank] ?? 0) - slots * need.cores
      gpus[rank] = need.exclusive ? 0 : (gpus[rank] ?? 0) - slots * need.gpus
      return rank
    })
  }

  #earlierSearchesFor(need: Need, domain: Domain): EarlierSearches {
    const byKind = this.#earlierSearches.get(domain) ?? new Map<string, EarlierSearches>()
    this.#earlierSearches.set(domain, byKind)
    const { cores, gpus, exclusive } = need
    const kind = `${slotsPerNode(need) ?? 0} ${cores} ${gpus} ${exclusive}`
    const earlier = byKind.get(kind) ?? {
      firstFit: 0,
      tooMany: Number.POSITIVE_INFINITY,
      withoutOthers: new Map(),
    }
    byKind.set(kind, earlier)
    return earlier
  }
}

/**
 * The results of earlier searches for needs of the same kind. They stay valid because free resources only become fewer, and
 * make thousands of equal jobs cheap.
 */
interface EarlierSearches {
  /** The index of the first usable rank with enough room. The ranks before it are too small. */
  firstFit: number
  /** A search for this number of nodes or slots failed, so a larger one fails, too. */
  tooMany: number
  /** Places in the absence of other jobs, by the number of nodes or slots. */
  readonly withoutOthers: Map<number, Place>
}

function slotsPerNode({ nodes, slots }: Need): number | undefined {
  return nodes === undefined ? undefined : Math.ceil(slots / nodes)
}

/** How many slots a rank has room for. */
function slotsOn(rank: number, need: Need, { cores, gpus }: Capacity): number {
  const byCores = need.cores === 0 ? Number.POSITIVE_INFINITY : (cores[rank] ?? 0) / need.cores
  const byGpus = need.gpus === 0 ? Number.POSITIVE_INFINITY : (gpus[rank] ?? 0) / need.gpus
  return Math.floor(Math.min(byCores, byGpus))
}

interface Share {
  readonly rank: number
  readonly slots: number
}

function fill(set: ResourceSet, size: number): Capacity {
  const cores = new Int32Array(size)
  const gpus = new Int32Array(size)
  for (const segment of set.segments) {
    const { first, last } = segment
    cores.fill(countIds(segment.cores), first, last + 1)
    gpus.fill(countIds(segment.gpus), first, last + 1)
  }
  return { cores, gpus }
}
