// The names of the served API groups, versions and resources: for paths, discovery, OpenAPI and answers.

export const GROUP = 'custom.metrics.k8s.io'

/** Preferred version first. */
export const VERSIONS = ['v1beta2', 'v1beta1'] as const

export type Version = (typeof VERSIONS)[number]

/** The resources in metric paths; `namespaces` is for metrics of a whole namespace. */
export const MINICLUSTERS = 'miniclusters.flux-framework.org'
export const SERVICES = 'services'
export const NAMESPACES = 'namespaces'

/** The path of a version: `/apis/custom.metrics.k8s.io/v1beta2`. */
export function versionPath(version: Version): string {
  return `/apis/${GROUP}/${version}`
}

/** The group of metrics that describe no object. It is served only if enabled, because another server usually owns it. */
export const EXTERNAL_GROUP = 'external.metrics.k8s.io'
export const EXTERNAL_VERSION = 'v1beta1'

/** The label of external metrics that says whose they are. That of pods and objects has another name (webhook/contract.ts). */
export const EXTERNAL_LABEL = 'minicluster'
