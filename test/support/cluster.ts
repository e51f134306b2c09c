// A simulated Flux instance with its broker and a collector, in a folder of their own. All are removed with the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Collector, type CollectorOptions } from '#collecting/collector.ts'
import type { Reading } from '#scaling/snapshot.ts'
import { Instance, type InstanceOptions } from '#simulation/instance.ts'
import { type BrokerOptions, type SimulatedBroker, startBroker } from './broker.ts'

/** Short times for tests; the rest is as in production. */
export const TEST_PACE = { minIntervalMs: 1, costFactor: 0 } as const

/** One call of the collector to its observer. */
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
  /** Messages of the log, with their reasons. */
  readonly lines: readonly string[]
  /** Starts the first broker or its successor. */
  startBroker(options?: Partial<BrokerOptions>): Promise<SimulatedBroker>
  /** Resolves with the first reading that matches: the present one or a later one. */
  until(matches: (reading: Reading) => boolean): Promise<Reading>
}

/** Creates a cluster, by default of 4 nodes. Neither broker nor collector is started yet. */
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
  const write = (fields: object, message: string) => {
    lines.push('reason' in fields ? `${message}: ${fields.reason}` : message)
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

/** The number of up nodes in a fresh reading. */
export function upOf(reading: Reading): number | undefined {
  return reading.kind === 'fresh' ? reading.snapshot.nodes.up : undefined
}

/** The number of running jobs in a fresh reading. */
export function runningOf(reading: Reading): number | undefined {
  if (reading.kind === 'stale' || reading.snapshot.jobs.kind === 'unknown') return undefined
  return reading.snapshot.jobs.total.run
}

/** Why there is no reading. */
export function reasonOf(reading: Reading): string | undefined {
  return reading.kind === 'stale' ? reading.reason : undefined
}
