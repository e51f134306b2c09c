// How many connections to sidecars there are in all. Each takes 90 KiB for as long as it is kept: where there are too many, the
// namespace with the most closes its oldest unused one. Opens none.
import type { EventEmitter } from 'node:events'

/** Those of 1,000 MiniClusters, and some more that are at work. Beyond that sidecars are asked over new connections. */
const MAX_CONNECTIONS = 1_100

/** The connections to one peer. */
export interface Pool {
  /** How many wait for a request. */
  readonly idle: number
  closeIdle(): void
}

export class ConnectionLimit {
  readonly #max: number
  #total = 0
  /** How many connections each pool has, by namespace; the pool that has had none for the shortest time comes last. */
  readonly #namespaces = new Map<string, Map<Pool, number>>()

  constructor(max = MAX_CONNECTIONS) {
    this.#max = max
  }

  get total(): number {
    return this.#total
  }

  /** Counts a connection until it is closed, and makes room for it. */
  add(namespace: string, pool: Pool, connection: EventEmitter): void {
    this.#change(namespace, pool, 1)
    connection.once('close', () => this.#change(namespace, pool, -1))
    if (this.#total > this.#max) this.#makeRoom()
  }

  #change(namespace: string, pool: Pool, change: 1 | -1): void {
    const pools = this.#namespaces.get(namespace) ?? new Map<Pool, number>()
    this.#namespaces.set(namespace, pools)
    const count = (pools.get(pool) ?? 0) + change
    if (count === 0) pools.delete(pool)
    else pools.set(pool, count)
    if (pools.size === 0) this.#namespaces.delete(namespace)
    this.#total += change
  }

  #makeRoom(): void {
    const byNumber = [...this.#namespaces.values()].sort((one, other) => other.size - one.size)
    for (const pools of byNumber) {
      for (const pool of pools.keys()) {
        if (pool.idle === 0) continue
        pool.closeIdle()
        return
      }
    }
  }
}
