// Values that depend on the catalog, such as documents that list its metrics: made again only when the metrics change.
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'

/** Returns a function that returns the result of `make` for the present metrics of the catalog. */
export function derived<T>(catalog: Catalog, make: (metrics: readonly Metric[]) => T): () => T {
  let version = catalog.version
  let made = make(catalog.all())
  return () => {
    if (catalog.version !== version) {
      version = catalog.version
      made = make(catalog.all())
    }
    return made
  }
}
