// Where jobs would go: first fit, the lowest rank first, on what is free or could be made free by starting pods. Pure
// arithmetic on ranks; demand.ts decides which jobs and which ranks count.
import { idsetOf } from '#flux/sets/id-list.ts'
import {
  EMPTY_IDSET,
  highestId,
  type IdRange,
  type Idset,
  joinRanges,
  sweep,
  unionIdsets,
} from '#flux/sets/idset.ts'
import { type ResourceSet, ranksOf } from '#flux/sets/resource-set.ts'
import {
  type Budget,
  type Capacity,
  capacityOf,
  FreeCapacity,
  type Share,
  slotsIn,
  slotsPerNode,
} from './free-capacity.ts'
import type { Need } from './need.ts'

/** Ranks on which a job may be placed. */
export interface Domain {
  /** Every rank that the job accepts in R: more than they have is never there. */
  readonly ranks: Idset
  /** Those of them that can be given to jobs, now or once their pods have started. */
  readonly usable: Idset
  /** Those, and the ones that were given up because their pods do not join: for jobs that fit nowhere else. */
  readonly startable: Idset
}

/** Where a job would go. */
export type Place =
  | { readonly kind: 'placed'; readonly ranks: Idset }
  /** It does not fit beside what is there, but would on these ranks if they were free: it waits for others to end. */
  | { readonly kind: 'waits'; readonly ranks: Idset }
  /** It would not even fit if all were free. */
  | { readonly kind: 'infeasible' }
  /** The jobs are too many and too different to place all of them: nothing is known of this one. */
  | { readonly kind: 'not placed' }

/**
 * How much is looked at for all jobs of a reading, in ranks, and in parts of jobs: 10,000 jobs of a few kinds need a fifth
 * of it, and it takes some 20 ms. What goes beyond it counts as not listed.
 */
const MAX_STEPS = 400_000

/** Neighbouring ranks that are alike, with the slots of one kind of need that each has room for. */
interface Run extends IdRange {
  readonly slots: number
}

/** What was learnt of the needs of one kind in one domain, so that equal jobs cost little: what is free only becomes less. */
interface Learnt {
  /** No rank below it has room. */
  from: number
  /** This number of nodes or slots was not found. */
  tooMany: number
  /** Ranks with room if nothing was taken, by part of the domain. */
  readonly runs: Map<keyof Domain, readonly Run[]>
}

export interface PlacementOptions {
  /** Whether the scheduler gives a node to one job only, however small the job. */
  readonly wholeNodes?: boolean
  /** Default: {@link MAX_STEPS}. */
  readonly steps?: number
}

/** One round of placing: each job takes from what the next one finds. */
export class Placement {
  readonly #all: ResourceSet
  readonly #total: Capacity
  readonly #free: FreeCapacity
  readonly #options: { readonly wholeNodes: boolean }
  readonly #learnt = new Map<Domain, Map<string, Learnt>>()
  readonly #budget: Budget
  /** R with nothing taken, for jobs of several parts: made when it is first needed, and put back after each job. */
  #empty: FreeCapacity | undefined

  /**
   * @param all R
   * @param free what no job holds, of ranks that are up, and all of those that are not
   */
  constructor(all: ResourceSet, free: ResourceSet, options: PlacementOptions = {}) {
    const { wholeNodes = false, steps = MAX_STEPS } = options
    this.#budget = { steps }
    const size = 1 + (highestId(ranksOf(all)) ?? -1)
    this.#all = all
    this.#total = capacityOf(all, size)
    this.#options = { wholeNodes }
    this.#free = new FreeCapacity(this.#total, capacityOf(free, size), this.#options)
  }

  /** Takes steps for work that is done beside the placement. @returns whether there were enough */
  spend(steps: number): boolean {
    this.#budget.steps -= steps
    return this.#budget.steps >= 0
  }

  /**
   * Places a job, for good if it fits now.
   *
   * @param ways one is enough, and it needs all of its parts
   */
  place(ways: readonly (readonly Need[])[], domain: Domain): Place {
    for (const parts of ways) {
      if (!this.spend(1)) return { kind: 'not placed' }
      const ranks = this.#takeAll(parts, domain)
      if (ranks !== undefined) return { kind: 'placed', ranks }
    }
    let place: Place = { kind: 'infeasible' }
    for (const parts of ways) {
      if (this.#budget.steps < 0) return { kind: 'not placed' }
      const later = this.#later(parts, domain)
      if (later?.kind === 'waits' && later.ranks.ranges.length > 0) return later
      if (later?.kind === 'waits') place = later
    }
    return this.#budget.steps < 0 ? { kind: 'not placed' } : place
  }

  /** The ranks of all parts; nothing is taken if one of them does not fit. */
  #takeAll(parts: readonly Need[], domain: Domain): Idset | undefined {
    const undo: (() => void)[] = []
    let ranks = EMPTY_IDSET
    for (const need of parts) {
      this.#budget.steps -= 1
      // What is learnt while other parts hold something is wrong once they have given it back.
      if (parts.length > 1) undo.push(this.#saveLearnt(need, domain))
      const shares = this.#find(need, domain)
      if (shares === undefined) {
        for (const restore of undo.reverse()) restore()
        return undefined
      }
      if (parts.length > 1) undo.push(this.#free.save(shares))
      this.#free.take(need, shares)
      ranks = unionIdsets(ranks, ranksIn(shares))
    }
    return ranks
  }

  #find(need: Need, domain: Domain): readonly Share[] | undefined {
    const learnt = this.#learntOf(need, domain)
    const wanted = need.nodes ?? need.slots
    if (wanted >= learnt.tooMany || this.#budget.steps < 0) return undefined
    const shares = this.#free.find(need, domain.usable, learnt.from, this.#budget)
    if (shares !== undefined) learnt.from = shares[0]?.rank ?? learnt.from
    else if (this.#budget.steps >= 0) learnt.tooMany = wanted
    return shares
  }

  /** Where it would go if nothing else was there. */
  #later(parts: readonly Need[], domain: Domain): Place | undefined {
    const [need] = parts
    if (parts.length > 1) return this.#laterOfParts(parts, domain)
    if (need === undefined) return { kind: 'waits', ranks: EMPTY_IDSET }
    if (this.#firstOf(need, domain, 'ranks') === undefined) return { kind: 'infeasible' }
    // A rank that is drained or does not answer is not made usable by starting pods.
    const ranks = this.#firstOf(need, domain, 'usable') ?? this.#firstOf(need, domain, 'startable')
    return { kind: 'waits', ranks: ranks ?? EMPTY_IDSET }
  }

  /** Parts share ranks or not: they are placed one after the other on an empty R. */
  #laterOfParts(parts: readonly Need[], domain: Domain): Place {
    if (this.#placeAlone(parts, domain.ranks) === undefined) return { kind: 'infeasible' }
    const { usable, startable } = domain
    const ranks = this.#placeAlone(parts, usable) ?? this.#placeAlone(parts, startable)
    return { kind: 'waits', ranks: ranks ?? EMPTY_IDSET }
  }

  #placeAlone(parts: readonly Need[], ranks: Idset): Idset | undefined {
    this.#empty ??= new FreeCapacity(this.#total, this.#total, this.#options)
    const empty = this.#empty
    const undo: (() => void)[] = []
    let found: Idset | undefined = EMPTY_IDSET
    for (const need of parts) {
      this.#budget.steps -= 1
      const shares = empty.find(need, ranks, 0, this.#budget)
      found = shares && unionIdsets(found, ranksIn(shares))
      if (shares === undefined || found === undefined) break
      undo.push(empty.save(shares))
      empty.take(need, shares)
    }
    for (const restore of undo.reverse()) restore()
    return found
  }

  /** The lowest ranks of a part of the domain that satisfy a need when nothing is taken. */
  #firstOf(need: Need, domain: Domain, part: keyof Domain): Idset | undefined {
    const perNode = slotsPerNode(need)
    let left = need.nodes ?? need.slots
    const ranges: IdRange[] = []
    for (const { first, last, slots } of this.#runsOf(need, domain, part)) {
      if (left <= 0) break
      this.#budget.steps -= 1
      // A slot without cores and GPUs (of memory, say) has room without end.
      const perRank = perNode === undefined ? Math.min(slots, left) : 1
      const count = Math.min(last - first + 1, Math.ceil(left / perRank))
      ranges.push({ first, last: first + count - 1 })
      left -= count * perRank
    }
    return left <= 0 ? joinRanges(ranges) : undefined
  }

  #runsOf(need: Need, domain: Domain, part: keyof Domain): readonly Run[] {
    const { runs } = this.#learntOf(need, domain)
    const known = runs.get(part)
    if (known !== undefined) return known
    const least = slotsPerNode(need) ?? 1
    const found: Run[] = []
    sweep(this.#all.segments, domain[part].ranges, (first, last, segment, range) => {
      this.#budget.steps -= 1
      if (segment === undefined || range === undefined) return
      const slots = slotsIn(need, first, this.#total)
      if (slots >= least && slots > 0) found.push({ first, last, slots })
    })
    runs.set(part, found)
    return found
  }

  #saveLearnt(need: Need, domain: Domain): () => void {
    const learnt = this.#learntOf(need, domain)
    const { from, tooMany } = learnt
    return () => {
      learnt.from = from
      learnt.tooMany = tooMany
    }
  }

  #learntOf(need: Need, domain: Domain): Learnt {
    const kinds = this.#learnt.get(domain) ?? new Map<string, Learnt>()
    this.#learnt.set(domain, kinds)
    const { cores, gpus, exclusive, ranges } = need
    const range = ranges === undefined ? '' : JSON.stringify(ranges)
    const kind = `${slotsPerNode(need) ?? ''} ${cores} ${gpus} ${exclusive} ${range}`
    const known = kinds.get(kind)
    if (known !== undefined) return known
    const learnt: Learnt = { from: 0, tooMany: Number.POSITIVE_INFINITY, runs: new Map() }
    kinds.set(kind, learnt)
    return learnt
  }
}

function ranksIn(shares: readonly Share[]): Idset {
  return idsetOf(shares.map(({ rank }) => rank))
}
