// Whose request to a sidecar is next when there are too many at once: the namespaces take turns, and in each the first comes first.
// One MiniCluster has few places, and one namespace as many as it leaves free, so that sidecars that hang keep the others from nothing.
import { FairShare } from '#serving/limits/fair-share.ts'
import { unavailable } from '#serving/status.ts'
import type { MiniClusterName } from '../peers/peer.ts'
import { AskError, titleOf } from './ask-error.ts'

export interface TurnLimits {
  /** Requests at once. One namespace has at most half of them. */
  readonly total: number
  /** Requests at once to one MiniCluster. Its sidecar takes 16 of one address (serving/https/limits.ts). */
  readonly each: number
  /** Requests that wait. When so many wait, a namespace gets no more than its part of them. */
  readonly waiting: number
}

/** A metric is answered within milliseconds: what would wait behind 4,096 others is late. */
const TURN_LIMITS: TurnLimits = { total: 256, each: 4, waiting: 4_096 }

interface Lane {
  readonly key: string
  readonly namespace: string
  /** Requests that have a turn, or wait only for other MiniClusters. */
  places: number
  readonly waiting: Set<Waiter>
}

interface Waiter {
  readonly lane: Lane
  readonly start: () => void
}

export class FairTurns {
  readonly #limits: TurnLimits
  readonly #lanes = new Map<string, Lane>()
  /** Those with a place of their MiniCluster, by namespace; the namespace whose turn is next comes first. */
  readonly #ready = new Map<string, Set<Waiter>>()
  /** The number of all that wait, by namespace. */
  readonly #waitingIn = new Map<string, number>()
  /** Requests that have a turn, by namespace. */
  readonly #runs: FairShare
  #waiting = 0

  constructor(limits: TurnLimits = TURN_LIMITS) {
    this.#limits = limits
    this.#runs = new FairShare(limits.total)
  }

  get running(): number {
    return this.#runs.used
  }

  get waiting(): number {
    return this.#waiting
  }

  /**
   * Waits for a turn.
   *
   * @param signal ends the wait: then it rejects with the reason of the signal
   * @returns ends the turn
   * @throws AskError 503 if too many wait
   */
  async take(name: MiniClusterName, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (!this.#hasRoom(name.namespace)) {
      const inNamespace = this.#waitingIn.get(name.namespace) ?? 0
      const load = `${this.#waiting} in all, ${inNamespace} in this namespace`
      const message = `${titleOf(name)}: too many requests wait for sidecars: ${load}`
      throw new AskError('overload', unavailable(message))
    }
    const lane = this.#laneOf(name)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiter: Waiter = { lane, start: resolve }
    const leave = () => {
      this.#leave(waiter)
      reject(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    this.#count(lane.namespace, 1)
    lane.waiting.add(waiter)
    this.#fill(lane)
    this.#advance()
    await promise
    signal.removeEventListener('abort', leave)
    return () => this.#end(lane)
  }

  #hasRoom(namespace: string): boolean {
    const { waiting } = this.#limits
    if (this.#waiting < waiting) return true
    const part = waiting / (this.#waitingIn.size + 1)
    return (this.#waitingIn.get(namespace) ?? 0) < part
  }

  #laneOf({ namespace, minicluster }: MiniClusterName): Lane {
    const key = `${namespace}/${minicluster}`
    const lane = this.#lanes.get(key) ?? { key, namespace, places: 0, waiting: new Set() }
    this.#lanes.set(key, lane)
    return lane
  }

  /** Gives the free places of a MiniCluster to its first waiters. */
  #fill(lane: Lane): void {
    for (const waiter of lane.waiting) {
      if (lane.places >= this.#limits.each) return
      lane.places += 1
      lane.waiting.delete(waiter)
      const ready = this.#ready.get(lane.namespace) ?? new Set()
      ready.add(waiter)
      this.#ready.set(lane.namespace, ready)
    }
    if (lane.places === 0) this.#lanes.delete(lane.key)
  }

  /** Starts requests as long as there are turns. The namespace of each then comes last; one that has too many keeps its place. */
  #advance(): void {
    for (const [namespace, ready] of this.#ready) {
      if (this.#runs.used >= this.#limits.total) return
      if (!this.#runs.take(namespace, 1)) continue
      this.#ready.delete(namespace)
      const [waiter] = ready
      if (waiter === undefined) {
        this.#runs.giveBack(namespace, 1)
        continue
      }
      ready.delete(waiter)
      // The loop comes to it again, because it is now the last one.
      if (ready.size > 0) this.#ready.set(namespace, ready)
      this.#count(namespace, -1)
      waiter.start()
    }
  }

  #end(lane: Lane): void {
    this.#runs.giveBack(lane.namespace, 1)
    this.#vacate(lane)
  }

  #leave(waiter: Waiter): void {
    const { lane } = waiter
    if (lane.waiting.delete(waiter)) {
      this.#count(lane.namespace, -1)
    } else if (this.#ready.get(lane.namespace)?.delete(waiter) === true) {
      this.#count(lane.namespace, -1)
      this.#vacate(lane)
    }
  }

  #vacate(lane: Lane): void {
    lane.places -= 1
    this.#fill(lane)
    this.#advance()
  }

  #count(namespace: string, change: 1 | -1): void {
    const count = (this.#waitingIn.get(namespace) ?? 0) + change
    if (count === 0) this.#waitingIn.delete(namespace)
    else this.#waitingIn.set(namespace, count)
    this.#waiting += change
  }
}
