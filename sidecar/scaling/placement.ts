// Where jobs would go: first fit, the lowest rank first, on what is free or could be made free by starting pods. Pure
// arithmetic on ranks; which jobs and which ranks count is demand.ts's decision.
import { countIds } from '#flux/sets/idset.ts'
import type { ResourceSet } from '#flux/sets/resource-set.ts'
import type { Need } from './need.ts'

/** Ranks by which conditions a job may be placed. All ascending. */
export interface Domain {
  /** Every rank that the job's queue has in R: more than they have is never there. */
  readonly ranks: Int32Array
  /** Those of them that can be given to jobs, now or once their pods have started. */
  readonly usable: Int32Array
  /** Those, and the ones that were given up because their pods do not come: for what fits nowhere else. */
  readonly startable: Int32Array
}

/** Where a job would go. */
export type Place =
  | { readonly kind: 'placed'; readonly ranks: readonly number[] }
  /** It does not fit beside what is there, but would on these ranks if they were free: it waits for others to end. */
  | { readonly kind: 'waits'; readonly ranks: readonly number[] }
  /** It would not even fit if all were free. */
  | { readonly kind: 'infeasible' }

/** Cores and GPUs of each rank: an index is a rank. */
interface Capacity {
  readonly cores: Int32Array
  readonly gpus: Int32Array
}

/** One round of placing: each job takes from what the next one finds. */
export class Placement {
  readonly #total: Capacity
  readonly #free: Capacity
  /** Ranks with nothing allocated and nothing placed: 1. */
  readonly #idle: Uint8Array
  readonly #memos = new Map<Domain, Map<string, Memo>>()

  /**
   * @param all R
   * @param free what no job holds, of ranks that are up, and all of those that are not
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

  /** Places a job, for good if it fits now. */
  place(need: Need, domain: Domain): Place {
    const memo = this.#memoOf(need, domain)
    const wanted = need.nodes ?? need.slots
    if (wanted < memo.tooMany) {
      const found = this.#spread(need, domain.usable, this.#free, memo)
      if (found !== undefined) return { kind: 'placed', ranks: this.#take(need, found) }
      memo.tooMany = wanted
    }
    return this.#later(need, domain, memo)
  }

  /** Where a job would go if nothing else was there: the same for all of its kind and size. */
  #later(need: Need, domain: Domain, memo: Memo): Place {
    const wanted = need.nodes ?? need.slots
    let place = memo.later.get(wanted)
    if (place === undefined) {
      const fits = this.#spread(need, domain.ranks, this.#total) !== undefined
      const shares = fits
        ? (this.#spread(need, domain.usable, this.#total) ??
          this.#spread(need, domain.startable, this.#total))
        : undefined
      // What R has, but not now (drained, not answering), helps nobody by starting pods.
      const ranks = shares?.map(({ rank }) => rank) ?? []
      place = fits ? { kind: 'waits', ranks } : { kind: 'infeasible' }
      memo.later.set(wanted, place)
    }
    return place
  }

  /** Ranks with the slots that each would get, or `undefined` if they are too few. */
  #spread(
    need: Need,
    ranks: Int32Array,
    capacity: Capacity,
    memo?: Memo,
  ): readonly Share[] | undefined {
    const shares: Share[] = []
    const perNode = slotsPerNode(need)
    let left = need.nodes ?? need.slots
    for (let index = memo?.from ?? 0; index < ranks.length && left > 0; index += 1) {
      const rank = ranks[index] ?? 0
      const isTaken = memo !== undefined && need.exclusive && this.#idle[rank] === 0
      const slots = isTaken ? 0 : slotsOn(rank, need, capacity)
      if (slots < (perNode ?? 1)) continue
      if (shares.length === 0 && memo !== undefined) memo.from = index
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

  #memoOf(need: Need, domain: Domain): Memo {
    const memos = this.#memos.get(domain) ?? new Map<string, Memo>()
    this.#memos.set(domain, memos)
    const { cores, gpus, exclusive } = need
    const kind = `${slotsPerNode(need) ?? 0} ${cores} ${gpus} ${exclusive}`
    const memo = memos.get(kind) ?? { from: 0, tooMany: Number.POSITIVE_INFINITY, later: new Map() }
    memos.set(kind, memo)
    return memo
  }
}

/** What was learnt of needs of one kind, so that thousands of equal jobs cost little: what is free only becomes less. */
interface Memo {
  /** Index of the first usable rank that was not too small. */
  from: number
  /** So many nodes or slots, or more, were not found. */
  tooMany: number
  /** By the number of nodes or slots. */
  readonly later: Map<number, Place>
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
