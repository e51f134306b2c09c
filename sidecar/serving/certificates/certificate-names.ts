// The DNS names in the certificates of this project, and the domains that all of them are in. The webhook issues certificates
// for these names alone, and its CA can issue none outside of these domains.

const SERVICES = 'svc'
const SERVICES_IN_FULL = 'svc.cluster.local'
/** Not in any DNS: for clients that connect to the pod of a MiniCluster's lead broker directly. */
const MINICLUSTERS = 'miniclusters.flux-metrics'

export const CERTIFICATE_DOMAINS: readonly string[] = [SERVICES, SERVICES_IN_FULL, MINICLUSTERS]

/** The names of a Service. API servers use the first. */
export function serviceNames(service: string, namespace: string): readonly [string, string] {
  const name = `${service}.${namespace}`
  return [`${name}.${SERVICES}`, `${name}.${SERVICES_IN_FULL}`]
}

/** The names of a MiniCluster's sidecar: the Service in front of it, and its own. */
export function sidecarNames(options: {
  readonly namespace: string
  readonly minicluster: string
  readonly serviceName: string
}): readonly string[] {
  const { namespace, minicluster, serviceName } = options
  return [`${serviceName}.${namespace}.${SERVICES}`, sidecarName({ namespace, minicluster })]
}

/** The name of a MiniCluster's sidecar that no Service has: the gateway asks only who can prove to have it. */
export function sidecarName(options: {
  readonly namespace: string
  readonly minicluster: string
}): string {
  return `${options.minicluster}.${options.namespace}.${MINICLUSTERS}`
}
