// An instance whose jobs, ranks and queues come and go, behind a simulated broker. A simulated instance remembers all jobs,
// so after a few thousand another one takes its place, with queues of other names: its clients must connect again.
import { setTimeout } from 'node:timers/promises'
import { Instance } from '#simulation/instance.ts'
import { type FluxVersion, type SimulatedBroker, startBroker } from '../support/broker.ts'

const RANKS = 16
/** In units of the backlog. */
const JOBS_OF_AN_INSTANCE = 40
const STEP_MS = 5

export interface ShiftingOptions {
  readonly path: string
  /** The releases of flux-core that the instances have, in turn. */
  readonly versions: readonly FluxVersion[]
  /** How many jobs are pending. A tenth of them is cancelled at each step, and others come. */
  readonly backlog: number
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
      const isOld = this.#instance.jobs.size >= JOBS_OF_AN_INSTANCE * this.#options.backlog
      if (isOld) await this.begin()
      await setTimeout(STEP_MS)
    }
    await this.#broker?.close()
  }

  #step(): void {
    const instance = this.#instance
    const { pending } = instance
    for (const job of pending) if (upTo(10) === 0) instance.cancel(job.id)
    for (let count = pending.length; count < this.#options.backlog; count += 1) this.#submit()
    if (upTo(8) === 0) instance.up(upTo(RANKS))
    if (upTo(20) === 0) instance.down(1 + upTo(RANKS - 1))
    instance.advance(upTo(2_000))
  }

  #submit(): void {
    const queue = upTo(4) === 0 ? 'debug' : `batch-${this.#generation}`
    const shape = upTo(3) === 0 ? { nodes: 1 + upTo(RANKS) } : { cores: 1 + upTo(32), tasks: 1 }
    this.#instance.submit({ ...shape, queue, duration: 1 + upTo(30) })
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
