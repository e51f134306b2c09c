// A simulated Flux instance with its broker and a collector on it, in a folder of their own, that end with the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Collector, type CollectorOptions } from '#collecting/collector.ts'
import type { Reading } from '#scaling/snapshot.ts'
import { Instance, type InstanceOptions } from '#simulation/instance.ts'
import { type BrokerOptions, type SimulatedBroker, startBroker } from './broker.ts'

/** Fast enough for tests, otherwise as in earnest. */
export const TEST_PACE = { minIntervalMs: 1, costFactor: 0 } as const

/** What the collector told its observer, in order. */
export type Notice =
  | 'connected'
  | 'disconnected'
  | 'refreshed'
  | `failed ${string}`
  | `${'drain' | 'undrain'} ${'ok' | 'failed'}`

export interface TestCluster {
  readonly path: string
  readonly instance: Instance
  readonly collector: Collector
  readonly notices: readonly Notice[]
  /** Messages of the log. */
  readonly lines: readonly string[]
  /** Starts a broker, the first or the next one. */
  startBroker(options?: Partial<BrokerOptions>): Promise<SimulatedBroker>
  /** Resolves with the first reading that matches: the present one, or one after a later notice. */
  until(matches: (reading: Reading) => boolean): Promise<Reading>
}

/** Makes a cluster of 4 nodes by default; nothing is started yet. */
export async function createTestCluster(
  t: TestContext,
  options: Partial<InstanceOptions> &
    Pick<
      Partial<CollectorOptions>,
      'pace' | 'maxAgeMs' | 'drains' | 'formerDrains' | 'patience'
    > = {},
): Promise<TestCluster> {
  const { pace, maxAgeMs = 30_000, drains, formerDrains, patience = {}, ...model } = options
  const folder = await mkdtemp(join(tmpdir(), 'flux-'))
  const path = join(folder, 'local')
  const instance = new Instance({ maxSize: 4, coresPerNode: 8, gpusPerNode: 2, ...model })
  const notices: Notice[] = []
  const lines: string[] = []
  let wake = () => {}
  const notice = (text: Notice) => {
    notices.push(text)
    wake()
  }
  const write = (_fields: object, message: string) => {
    lines.push(message)
    wake()
  }
  const collector = new Collector({
    drains,
    formerDrains,
    patience,
    path,
    maxAgeMs,
    log: { info: write, warn: write },
    observer: {
      connected: () => notice('connected'),
      disconnected: () => notice('disconnected'),
      refreshed: () => notice('refreshed'),
      failed: (code) => notice(`failed ${code}`),
      drained: (what, outcome) => notice(`${what} ${outcome}`),
    },
    pace: { ...TEST_PACE, ...pace },
  })
  const brokers: SimulatedBroker[] = []
  t.after(async () => {
    await collector.stop()
    for (const broker of brokers) await broker.close()
    await rm(folder, { recursive: true })
  })
  return {
    path,
    instance,
    collector,
    notices,
    lines,
    startBroker: async (changes = {}) => {
      const broker = await startBroker({ path, instance, ...changes })
      brokers.push(broker)
      return broker
    },
    until: async (matches) => {
      for (;;) {
        const reading = collector.reading()
        if (matches(reading)) return reading
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

/** The up count of a fresh reading. */
export function upOf(reading: Reading): number | undefined {
  return reading.kind === 'fresh' ? reading.snapshot.nodes.up : undefined
}

/** The number of running jobs of a fresh reading. */
export function runningOf(reading: Reading): number | undefined {
  if (reading.kind === 'stale' || reading.snapshot.jobs.kind === 'unknown') return undefined
  return reading.snapshot.jobs.total.run
}

/** Why there is no reading. */
export function reasonOf(reading: Reading): string | undefined {
  return reading.kind === 'stale' ? reading.reason : undefined
}
