// What requests of both metric groups have in common: segments to names, names to metrics, and a snapshot or an error.
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import type { Reading, Snapshot } from '#scaling/snapshot.ts'
import { nearestNames } from '#serving/nearest.ts'
import { badRequest, metricNotFound, unavailable } from '#serving/status.ts'
import { enumerate, quote, shorten } from '#serving/text.ts'
import { formatTime } from './metric-value.ts'

/** The router leaves a malformed segment as it is; we would rather not look for an object of that name. */
export function decodeSegment(segment = ''): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw badRequest(`Cannot decode path segment ${quote(segment)}: its percent-encoding is broken`)
  }
}

/**
 * The metric of that name.
 *
 * @param object that it was asked of, for the message
 * @throws StatusError 404 that names the nearest
 */
export function findMetric(
  catalog: Catalog,
  metric: string,
  { resource, name }: { readonly resource: string; readonly name?: string },
): Metric {
  const found = catalog.find(metric)
  if (found !== undefined) return found
  const known = catalog.all().map((one) => one.name)
  const nearest = nearestNames(metric, known)
  const hint =
    nearest.length > 0
      ? `did you mean ${enumerate(
          nearest.map((one) => quote(one)),
          'or',
        )}?`
      : 'the discovery document of this version lists all there are'
  const object = name === undefined ? {} : { name: shorten(name) }
  throw metricNotFound(shorten(resource), shorten(metric), { ...object, hint })
}

/** @throws StatusError 503 while there is no snapshot to be acted upon */
export function expectFresh(reading: Reading): Snapshot {
  if (reading.kind === 'fresh') return reading.snapshot
  const { since, reason } = reading
  const last = since === undefined ? 'Flux was never read' : `last read at ${formatTime(since)}`
  throw unavailable(`Cannot tell the state of Flux: ${reason} (${last})`)
}
