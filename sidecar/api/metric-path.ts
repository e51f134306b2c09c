// The object and the metric that a path of custom.metrics.k8s.io names. Whether they exist is decided elsewhere. Pure.
import { NAMESPACES, type Version, versionPath } from './api-group.ts'
import { decodeSegment } from './request.ts'

/** Decoded. */
export interface MetricTarget {
  readonly namespace: string
  readonly resource: string
  /** `undefined` for a metric of the whole namespace; `*` for all objects of the resource. */
  readonly name: string | undefined
  readonly metric: string
}

/**
 * `/namespaces/{namespace}/{resource}/{name}/{metric}` below the version.
 *
 * @throws StatusError 400 for a malformed segment
 */
export function targetOfObject(
  path: string,
  version: Version,
): MetricTarget & { readonly name: string } {
  const [, , namespace, resource, name, metric] = segmentsOf(path, version)
  return {
    namespace: decodeSegment(namespace),
    resource: decodeSegment(resource),
    name: decodeSegment(name),
    metric: decodeSegment(metric),
  }
}

/**
 * `/namespaces/{namespace}/metrics/{metric}` below the version.
 *
 * @throws StatusError 400 for a malformed segment
 */
export function targetOfNamespace(path: string, version: Version): MetricTarget {
  const [, , namespace, , metric] = segmentsOf(path, version)
  const names = { namespace: decodeSegment(namespace), metric: decodeSegment(metric) }
  return { ...names, resource: NAMESPACES, name: undefined }
}

function segmentsOf(path: string, version: Version): readonly string[] {
  return path.slice(versionPath(version).length).split('/')
}
