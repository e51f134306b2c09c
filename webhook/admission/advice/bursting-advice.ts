// Warnings about hosts of a MiniCluster that are not its pods in their order: sizes rest on rank i being the pod of index i.
// The sidecar checks the same once Flux runs (sidecar/reading/ranks/pod-ranks.ts). Pure.
import { podRanks } from '#reading/ranks/pod-ranks.ts'
import type { MiniCluster } from '../../objects/minicluster.ts'
import type { BrokerConfigReading } from './broker-config.ts'

/** Hosts as large as the API server accepts would take seconds and hundreds of megabytes to read. */
const MAX_LENGTH = 16_384

const BURSTING = 'spec.flux.bursting'
const CONFIG = 'spec.flux.brokerConfig'

/**
 * At most one warning for each setting, short enough for `kubectl` (review.ts cuts longer ones).
 *
 * @param config `spec.flux.brokerConfig`; `undefined` if there is none, and the operator writes its own
 */
export function adviseOnBursting(
  { metadata: { name }, spec }: MiniCluster,
  config: BrokerConfigReading | undefined,
): readonly string[] {
  const { leadBroker, hostlist, clusters } = spec?.flux?.bursting ?? {}
  if (config !== undefined) {
    // The configuration replaces what the operator makes of the other settings.
    return config.kind === 'settings' ? adviseOnHosts(`${CONFIG} (hosts)`, name, config.hosts) : []
  }
  if (hostlist) return adviseOnHosts(`${BURSTING}.hostlist`, name, [hostlist])
  if (leadBroker?.address) return [BURSTED]
  if (clusters?.some((cluster) => cluster.name === name)) return [misplaced(CLUSTERS, name)]
  return clusters?.length ? [notCounted(CLUSTERS)] : []
}

const CLUSTERS = `${BURSTING}.clusters`

const BURSTED =
  `${BURSTING}.leadBroker: these pods join the Flux of another MiniCluster, in which rank i is not the pod of ` +
  'index i: sizes are errors'

function adviseOnHosts(
  place: string,
  name: string,
  hostlists: readonly string[],
): readonly string[] {
  if (hostlists.length === 0) return []
  const length = hostlists.reduce((sum, list) => sum + list.length, 0)
  if (length > MAX_LENGTH) {
    return [`${place}: not checked, ${length} characters are more than ${MAX_LENGTH}`]
  }
  const pods = podRanks(name, { hostlists })
  if (pods.kind === 'unknown') return [misplaced(place, name)]
  if (pods.unchecked !== undefined) {
    return [
      `${place}: no host shows a pod (${name}-0, ${name}-1, …): rank i is taken for the pod of index i`,
    ]
  }
  return pods.burstedHosts.length > 0 ? [notCounted(place)] : []
}

function misplaced(place: string, name: string): string {
  return (
    `${place}: the hosts must begin with the pods ${name}-[0-…] in their order, and name none twice: ` +
    'rank i is not the pod of index i, and sizes are errors'
  )
}

function notCounted(place: string): string {
  return `${place}: the ranks of other clusters are not counted in sizes and nodes, never drained, and jobs there keep no pod`
}
