// Brings the ranks of a simulated broker up and down as their pods come and go, where nothing runs in these pods: on nodes that
// are objects only.
import { setTimeout as pause } from 'node:timers/promises'
import type { Broker } from './control.ts'
import type { PodLives } from './pod-lives.ts'

const RETRY_MS = 500

export class RankKeeper implements AsyncDisposable {
  readonly #broker: Broker
  readonly #lives: PodLives
  /** The ranks that the broker has as up, with when it was told. */
  readonly #up = new Map<number, number>()
  #work: Promise<void> = Promise.resolve()
  #isQueued = false
  #isStopped = false

  constructor(broker: Broker, lives: PodLives) {
    this.#broker = broker
    this.#lives = lives
    lives.onChange(() => this.#enqueue())
    this.#enqueue()
  }

  /** When the broker had all ranks of a size, in milliseconds since the epoch; `undefined` if it has not. */
  upSince(size: number): number | undefined {
    const times = Array.from({ length: size - 1 }, (_, index) => this.#up.get(index + 1))
    return times.every((time) => time !== undefined) ? Math.max(...times) : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    await this.#work
  }

  /** Changes that come while the broker is told of earlier ones are told together. */
  #enqueue(): void {
    if (this.#isQueued || this.#isStopped) return
    this.#isQueued = true
    this.#work = this.#work.then(async () => {
      this.#isQueued = false
      try {
        await this.#tell()
      } catch {
        // The lead broker cannot be reached for a moment; while it is away, so are all jobs, which the tests see.
        await pause(RETRY_MS)
        this.#enqueue()
      }
    })
  }

  async #tell(): Promise<void> {
    // The lead's rank is up by itself.
    const wanted = new Set(this.#lives.running.map(({ index }) => index).filter((rank) => rank > 0))
    const gone = [...this.#up.keys()].filter((rank) => !wanted.has(rank))
    const come = [...wanted].filter((rank) => !this.#up.has(rank))
    if (gone.length > 0) {
      await this.#broker.post('/down', { ranks: idset(gone) })
      for (const rank of gone) this.#up.delete(rank)
    }
    if (come.length === 0) return
    const at = Date.now()
    await this.#broker.post('/up', { ranks: idset(come) })
    for (const rank of come) this.#up.set(rank, at)
  }
}

function idset(ranks: readonly number[]): string {
  return [...ranks].sort((one, other) => one - other).join(',')
}
