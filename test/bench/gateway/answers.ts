// What a simulated sidecar answers, in the form of a real one.
import type { MiniClusterName } from '../../../webhook/gateway/peers/peer.ts'

/** The answer to `metricPath` (members.ts). */
export function bodyFor({ namespace, minicluster: name }: MiniClusterName): string {
  const describedObject = {
    ...{ kind: 'MiniCluster', namespace, name },
    apiVersion: 'flux-framework.org/v1alpha2',
  }
  const timestamp = '2026-11-29T06:00:00Z'
  const metric = { name: 'node_desired_count', selector: null }
  const items = [{ describedObject, metric, timestamp, value: '4' }]
  const list = { kind: 'MetricValueList', apiVersion: 'custom.metrics.k8s.io/v1beta2' }
  return JSON.stringify({ ...list, metadata: {}, items })
}
