// The cores and GPUs of each rank that are free, while jobs are placed on them: what is there is found and taken.
import { countIds, type Idset } from '#flux/sets/idset.ts'
import type { ResourceSet } from '#flux/sets/resource-set.ts'
import { MaxTree } from './max-tree.ts'
import { coresOfSlot, gpusOfSlot, type Need, slotsOn } from './need.ts'

/** Cores and GPUs of each rank; an index is a rank. */
export interface Capacity {
  readonly cores: Int32Array
  readonly gpus: Int32Array
}

export function capacityOf(set: ResourceSet, size: number): Capacity {
  const cores = new Int32Array(size)
  const gpus = new Int32Array(size)
  for (const segment of set.segments) {
    const { first, last } = segment
    cores.fill(countIds(segment.cores), first, last + 1)
    gpus.fill(countIds(segment.gpus), first, last + 1)
  }
  return { cores, gpus }
}

/** A rank, and how many slots of a job it gets. */
export interface Share {
  readonly rank: number
  readonly slots: number
}

/** How much may be looked at: what users submit decides how much there is. */
export interface Budget {
  steps: number
}

export class FreeCapacity {
  readonly #free: Capacity
  readonly #total: Capacity
  /** 1: nothing of the rank is taken. */
  readonly #idle: Int32Array
  readonly #coreTree: MaxTree
  readonly #idleTree: MaxTree
  readonly #wholeNodes: boolean

  /** @param wholeNodes whether the scheduler gives a node to one job only, however small the job */
  constructor(
    total: Capacity,
    free: Capacity,
    { wholeNodes }: { readonly wholeNodes: boolean } = { wholeNodes: false },
  ) {
    this.#total = total
    this.#free = { cores: free.cores.slice(), gpus: free.gpus.slice() }
    this.#wholeNodes = wholeNodes
    this.#idle = total.cores.map((cores, rank) =>
      cores === free.cores[rank] && total.gpus[rank] === free.gpus[rank] ? 1 : 0,
    )
    this.#coreTree = new MaxTree(this.#free.cores)
    this.#idleTree = new MaxTree(this.#idle)
  }

  /**
   * Finds room for a need on the lowest ranks that have it.
   *
   * @param from no rank below it has room
   * @returns the shares; `undefined` if the room is not enough, or the budget ends
   */
  find(need: Need, ranks: Idset, from: number, budget: Budget): readonly Share[] | undefined {
    const shares: Share[] = []
    const perNode = slotsPerNode(need)
    let left = need.nodes ?? need.slots
    for (const range of ranks.ranges) {
      for (let rank = Math.max(range.first, from); left > 0; rank += 1) {
        budget.steps -= 1
        if (budget.steps < 0) return undefined
        rank = this.#next(need, rank)
        if (rank < 0 || rank > range.last) break
        const slots = this.#slotsOn(need, rank)
        if (slots < (perNode ?? 1)) continue
        const share = perNode === undefined ? Math.min(slots, left) : 1
        shares.push({ rank, slots: perNode ?? share })
        left -= share
      }
    }
    return left === 0 ? shares : undefined
  }

  /** Takes what was found. */
  take(need: Need, shares: readonly Share[]): void {
    const isWhole = need.exclusive || this.#wholeNodes
    for (const { rank, slots } of shares) {
      const cores = this.#free.cores[rank] ?? 0
      const gpus = this.#free.gpus[rank] ?? 0
      this.#set(rank, {
        cores: isWhole ? 0 : cores - slots * coresOfSlot(need, cores),
        gpus: isWhole ? 0 : gpus - slots * gpusOfSlot(need, gpus),
        idle: 0,
      })
    }
  }

  /** What ranks have now, to be put back by {@link restore}. */
  save(shares: readonly Share[]): () => void {
    const saved = shares.map(({ rank }) => ({
      rank,
      cores: this.#free.cores[rank] ?? 0,
      gpus: this.#free.gpus[rank] ?? 0,
      idle: this.#idle[rank] ?? 0,
    }))
    return () => {
      for (const { rank, ...state } of saved) this.#set(rank, state)
    }
  }

  /** The next rank that may have room. */
  #next(need: Need, rank: number): number {
    if (need.exclusive || this.#wholeNodes) return this.#idleTree.find(rank, 1)
    return this.#coreTree.find(rank, need.cores * (slotsPerNode(need) ?? 1))
  }

  #slotsOn(need: Need, rank: number): number {
    const isWhole = need.exclusive || this.#wholeNodes
    return slotsIn(need, rank, isWhole ? this.#total : this.#free)
  }

  #set(
    rank: number,
    state: { readonly cores: number; readonly gpus: number; readonly idle: number },
  ): void {
    this.#free.cores[rank] = state.cores
    this.#free.gpus[rank] = state.gpus
    this.#idle[rank] = state.idle
    this.#coreTree.set(rank, state.cores)
    this.#idleTree.set(rank, state.idle)
  }
}

/** How many slots each node gets; `undefined` if they are spread as they fit. */
export function slotsPerNode({ nodes, slots }: Need): number | undefined {
  return nodes === undefined ? undefined : nodes === 0 ? 0 : Math.ceil(slots / nodes)
}

/** How many slots a rank has room for. */
export function slotsIn(need: Need, rank: number, { cores, gpus }: Capacity): number {
  return slotsOn(need, cores[rank] ?? 0, gpus[rank] ?? 0)
}
