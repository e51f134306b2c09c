// The user metrics as Prometheus gauges, each with its own name. A value that is unknown has no sample.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Gauge, type Registry } from 'prom-client'
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import type { SnapshotSource } from '#scaling/snapshot.ts'
import { derived } from '../documents/derived.ts'

/** Lets others run between two expressions: together they take too long. */
class Turns {
  #last: Promise<void> = Promise.resolve()

  next(): Promise<void> {
    this.#last = this.#last.then(() => nextTurn())
    return this.#last
  }
}

/** Returns a function that registers the user metrics of the catalog in `registry`; it must be called before each scrape. */
export function createUserGauges(
  registry: Registry,
  { source, catalog }: { readonly source: SnapshotSource; readonly catalog: Catalog },
): () => void {
  let registered: readonly string[] = []
  const turns = new Turns()
  return derived(catalog, () => {
    for (const name of registered) registry.removeSingleMetric(name)
    for (const metric of catalog.userMetrics) register(registry, { source, turns }, metric)
    registered = catalog.userMetrics.map(({ name }) => name)
  })
}

function register(
  registry: Registry,
  { source, turns }: { readonly source: SnapshotSource; readonly turns: Turns },
  metric: Metric,
): void {
  const { name, help } = metric
  const gauge: Gauge = new Gauge({
    name,
    help,
    registers: [registry],
    async collect() {
      await turns.next()
      const reading = source.reading()
      const value = reading.kind === 'fresh' ? metric.value(reading.snapshot, {}) : undefined
      if (typeof value === 'number') gauge.set(value)
      else gauge.remove()
    },
  })
}
