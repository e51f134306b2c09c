// The MiniClusters of the benchmark: their names, their pods, and the paths of their HPAs.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MiniClusterName } from '../../../webhook/gateway/peers/peer.ts'
import { SIDECAR, sidecarPod } from '../../webhook/gateway/peers/support-pods.ts'
import type { NamedObject } from './api-server.ts'

/** The pod of a lead broker as a real API server sent it, with the sidecar. */
const REVIEW = join(import.meta.dirname, '../../golden/already-injected/review.json')

const MINICLUSTERS_OF_NAMESPACE = 20

/** Twenty in each namespace. */
export function membersOf(count: number): readonly MiniClusterName[] {
  return Array.from({ length: count }, (_, index) => ({
    namespace: `team-${Math.floor(index / MINICLUSTERS_OF_NAMESPACE)}`,
    minicluster: `flux-${index}`,
  }))
}

export function metricPath({ namespace, minicluster }: MiniClusterName): string {
  const group = `/apis/custom.metrics.k8s.io/v1beta2/namespaces/${namespace}`
  return `${group}/miniclusters.flux-framework.org/${minicluster}/node_desired_count`
}

/** A running pod with a sidecar on this machine, as long as a real one. */
export function podOf(member: MiniClusterName, port: number): NamedObject {
  const { object } = JSON.parse(readFileSync(REVIEW, 'utf8')).request
  const { metadata, spec, status } = sidecarPod({
    ...member,
    spec: { ...object.spec, initContainers: [{ ...SIDECAR, ports: portsOf(port) }] },
    status: { podIP: '127.0.0.1' },
  })
  const { name = '', namespace = '' } = metadata ?? {}
  const uid = `uid-of-${namespace}-${name}`
  const managed = { managedFields: object.metadata.managedFields }
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', spec, status },
    metadata: { ...metadata, ...managed, name, namespace, uid },
  }
}

/** A pod of anybody. */
export function otherPod(index: number): NamedObject {
  const { spec, status } = podOf({ namespace: 'others', minicluster: 'none' }, 8443)
  const labels = { app: 'other' }
  const metadata = { name: `other-${index}`, namespace: 'others', uid: `uid-of-${index}`, labels }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec, status }
}

function portsOf(containerPort: number) {
  return [{ name: 'custom-metrics', containerPort }]
}
