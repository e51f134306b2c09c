// What follows from the metrics that there are, such as documents that list them: made again only when they are others.
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'

/** A function that tells what `make` makes of the catalog's metrics as they are. */
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
