// The user metrics as Prometheus gauges, each with its own name. A value that is unknown has no sample.
import { Gauge, type Registry } from 'prom-client'
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import type { SnapshotSource } from '#scaling/snapshot.ts'
import { derived } from '../documents/derived.ts'

/** Returns a function that registers the user metrics of the catalog in `registry`; it must be called before each scrape. */
export function createUserGauges(
  registry: Registry,
  { source, catalog }: { readonly source: SnapshotSource; readonly catalog: Catalog },
): () => void {
  let registered: readonly string[] = []
  return derived(catalog, () => {
    for (const name of registered) registry.removeSingleMetric(name)
    for (const metric of catalog.userMetrics) register(registry, source, metric)
    registered = catalog.userMetrics.map(({ name }) => name)
  })
}

function register(registry: Registry, source: SnapshotSource, metric: Metric): void {
  const { name, help } = metric
  const gauge: Gauge = new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      const reading = source.reading()
      const value = reading.kind === 'fresh' ? metric.value(reading.snapshot, {}) : undefined
      if (typeof value === 'number') gauge.set(value)
      else gauge.remove()
    },
  })
}
