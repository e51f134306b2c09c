// The resources of the API groups as discovery lists them: our metrics, and those of another server that answers beside us.
import type { Metric } from '#metrics/metric.ts'
import {
  EXTERNAL_GROUP,
  EXTERNAL_VERSION,
  GROUP,
  MINICLUSTERS,
  NAMESPACES,
  SERVICES,
  VERSIONS,
} from '../api-group.ts'

/** A resource of an APIResourceList. */
export interface ApiResource {
  /** `metric`, or `resource/metric`: then the metric is a subresource. */
  readonly name: string
  readonly namespaced: boolean
  readonly kind: string
}

/** What another server answers in our groups, beside our metrics. */
export interface OtherResources {
  /** Grows whenever the resources change. */
  readonly version: number
  resourcesOf(groupVersion: string): readonly ApiResource[]
}

/** A group as both forms of discovery describe it. */
export interface Group {
  readonly name: string
  /** Preferred version first. */
  readonly versions: readonly string[]
  resources(metrics: readonly Metric[]): readonly ApiResource[]
}

const RESOURCES = [
  { resource: MINICLUSTERS, namespaced: true },
  { resource: SERVICES, namespaced: true },
  { resource: NAMESPACES, namespaced: false },
] as const

export const CUSTOM_METRICS: Group = {
  name: GROUP,
  versions: VERSIONS,
  resources: (metrics) =>
    RESOURCES.flatMap(({ resource, namespaced }) =>
      metrics.map(({ name }) => ({
        name: `${resource}/${name}`,
        namespaced,
        kind: 'MetricValueList',
      })),
    ),
}

/** In this group each metric is a resource of its own. */
export const EXTERNAL_METRICS: Group = {
  name: EXTERNAL_GROUP,
  versions: [EXTERNAL_VERSION],
  resources: (metrics) =>
    metrics.map(({ name }) => ({ name, namespaced: true, kind: 'ExternalMetricValueList' })),
}

/** Ours, then those of the other server that have other names. */
export function mergeResources(
  ours: readonly ApiResource[],
  others: readonly ApiResource[],
): readonly ApiResource[] {
  const merged = new Map(ours.map((one) => [one.name, one]))
  for (const one of others) {
    if (!merged.has(one.name)) merged.set(one.name, one)
  }
  return [...merged.values()]
}
