// Steps of requests to both metric groups: decodes a path segment, finds a metric, gets a fresh snapshot; or an error.
import type { Catalog } from '#metrics/catalog.ts'
import type { Metric } from '#metrics/metric.ts'
import type { Reading, Snapshot } from '#scaling/snapshot.ts'
import { nearestNames } from '#serving/nearest.ts'
import { badRequest, metricNotFound, unavailable } from '#serving/status.ts'
import { enumerate, quote, shorten } from '#serving/text.ts'
import { formatTime } from '#serving/time.ts'

/** Decodes a segment. The router accepts a malformed one, but no object can have that name: 400. */
export function decodeSegment(segment = ''): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw badRequest(
      `Cannot decode path segment ${quote(segment)}: its percent-encoding is malformed`,
    )
  }
}

/**
 * Finds a metric by name.
 *
 * @param object the object in the request, for the error message
 * @throws StatusError 404 with similar names
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
      : 'the discovery document of this version lists all metrics'
  const object = name === undefined ? {} : { name: shorten(name) }
  throw metricNotFound(shorten(resource), shorten(metric), { ...object, hint })
}

/** @throws StatusError 503 while there is no fresh snapshot */
export function expectFresh(reading: Reading): Snapshot {
  if (reading.kind === 'fresh') return reading.snapshot
  const { since, reason } = reading
  const last = since === undefined ? 'Flux was never read' : `last read at ${formatTime(since)}`
  throw unavailable(`Cannot read the state of Flux: ${reason} (${last})`)
}
