// Values that depend on the catalog, such as documents that list its metrics: made again only when the metrics change.
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'

/** Something that changes now and then. */
interface Versioned {
  /** Grows with each change. */
  readonly version: number
}

/**
 * Returns a function that returns the result of `make` for the present metrics of the catalog.
 *
 * @param others what the result depends on beside them
 */
export function derived<T>(
  catalog: Catalog,
  make: (metrics: readonly Metric[]) => T,
  others: Versioned = { version: 0 },
): () => T {
  let version = catalog.version + others.version
  let made = make(catalog.all())
  return () => {
    // Both only grow, so that equal sums are equal versions.
    const present = catalog.version + others.version
    if (present !== version) {
      version = present
      made = make(catalog.all())
    }
    return made
  }
}
