// The names of the API groups that we serve: said once, for paths, discovery, OpenAPI and answers.

export const GROUP = 'custom.metrics.k8s.io'

/** Preferred version first. */
export const VERSIONS = ['v1beta2', 'v1beta1'] as const

export type Version = (typeof VERSIONS)[number]

/** The resources in paths of objects with metrics of their own; `namespaces` is for metrics of a whole namespace. */
export const MINICLUSTERS = 'miniclusters.flux-framework.org'
export const SERVICES = 'services'
export const NAMESPACES = 'namespaces'

/** Where a version lives: `/apis/custom.metrics.k8s.io/v1beta2`. */
export function versionPath(version: Version): string {
  return `/apis/${GROUP}/${version}`
}

/** The group for metrics that describe no object; served on request only, because others usually own it. */
export const EXTERNAL_GROUP = 'external.metrics.k8s.io'
export const EXTERNAL_VERSION = 'v1beta1'
