// An instance whose jobs, ranks and queues come and go, behind a simulated broker. A simulated instance remembers all jobs,
// so after some hundreds another one takes its place, with queues of other names: its clients must connect again.
import { setTimeout } from 'node:timers/promises'
import { Instance } from '#simulation/instance.ts'
import { type FluxVersion, type SimulatedBroker, startBroker } from '../support/broker.ts'

const RANKS = 16
const JOBS_OF_AN_INSTANCE = 300
const STEP_MS = 3

export interface ShiftingOptions {
  readonly path: string
  /** The releases of flux-core that the instances have, in turn. */
  readonly versions: readonly FluxVersion[]
  /** How often all connections are ended, in milliseconds; never by default. */
  readonly disconnectEveryMs?: number
}

/** Starts to shift, until the result is disposed of. */
export async function startShifting(options: ShiftingOptions): Promise<AsyncDisposable> {
  const cluster = new ShiftingCluster(options)
  await cluster.begin()
  const running = cluster.run()
  return {
    async [Symbol.asyncDispose]() {
      cluster.isOver = true
      await running
    },
  }
}

class ShiftingCluster {
  isOver = false
  readonly #options: ShiftingOptions
  #generation = 0
  #instance = new Instance({ maxSize: 1 })
  #broker: SimulatedBroker | undefined
  #disconnectAt = performance.now()

  constructor(options: ShiftingOptions) {
    this.#options = options
  }

  async begin(): Promise<void> {
    await this.#broker?.close()
    this.#generation += 1
    const ranks = Array.from({ length: RANKS }, (_, rank) => rank)
    const queues = { [`batch-${this.#generation}`]: ranks, debug: ranks.slice(0, 4) }
    this.#instance = new Instance({ maxSize: RANKS, up: RANKS / 2, queues })
    const { path, versions } = this.#options
    const version = versions[this.#generation % versions.length] ?? '0.88.0'
    this.#broker = await startBroker({ path, instance: this.#instance, role: 'owner', version })
  }

  async run(): Promise<void> {
    while (!this.isOver) {
      this.#step()
      this.#disconnect()
      if (this.#instance.jobs.size >= JOBS_OF_AN_INSTANCE) await this.begin()
      await setTimeout(STEP_MS)
    }
    await this.#broker?.close()
  }

  #step(): void {
    const instance = this.#instance
    const queue = upTo(4) === 0 ? 'debug' : `batch-${this.#generation}`
    const duration = 1 + upTo(5)
    if (upTo(3) === 0) instance.submit({ nodes: 1 + upTo(RANKS), queue, duration })
    else instance.submit({ cores: 1 + upTo(32), tasks: 1, queue, duration })
    if (upTo(8) === 0) instance.up(upTo(RANKS))
    if (upTo(20) === 0) instance.down(1 + upTo(RANKS - 1))
    if (upTo(30) === 0) instance.cancelAll()
    instance.advance(upTo(2_000))
  }

  #disconnect(): void {
    const { disconnectEveryMs: everyMs = Number.POSITIVE_INFINITY } = this.#options
    if (performance.now() < this.#disconnectAt + everyMs) return
    this.#disconnectAt = performance.now()
    this.#broker?.disconnectAll()
  }
}

function upTo(limit: number): number {
  return Math.floor(Math.random() * limit)
}
