// What older programs of this project said to each other over HTTP, as it was recorded. A gateway and sidecars of different versions
// work together: a sidecar keeps its version for as long as its MiniCluster runs.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'

const FOLDER = join(import.meta.dirname, '../../recordings/peers')

/** The MiniCluster of all recordings. */
export const RECORDED = { namespace: 'team-a', minicluster: 'flux-sample' } as const

const GROUP = '/apis/custom.metrics.k8s.io'
const EXTERNAL = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${RECORDED.namespace}`
const OBJECT = `miniclusters.flux-framework.org/${RECORDED.minicluster}`

/** What API servers ask a gateway for. */
export const PATHS: readonly string[] = [
  ...['v1beta1', 'v1beta2'].flatMap((version) =>
    [
      `${OBJECT}/node_up_count`,
      `${OBJECT}/node_desired_count`,
      `${OBJECT}/job_active_count?metricLabelSelector=queue%3Ddefault`,
      `${OBJECT}/of_a_user`,
      'miniclusters.flux-framework.org/*/node_up_count',
      'services/custom-metrics-apiserver/node_up_count',
      'metrics/node_up_count',
      `${OBJECT}/explain`,
      `${OBJECT}/explain?format=text`,
    ].map((path) => `${GROUP}/${version}/namespaces/${RECORDED.namespace}/${path}`),
  ),
  `${EXTERNAL}/node_up_count`,
  `${EXTERNAL}/node_desired_count?labelSelector=minicluster%3D${RECORDED.minicluster}`,
]

const Headers = v.record(v.string(), v.string())

const Request = v.object({ path: v.string(), headers: Headers })

const Answer = v.object({ status: v.number(), headers: Headers, body: v.string() })

const GatewayRecording = v.object({
  how: v.string(),
  /** What it asked a sidecar. */
  requests: v.array(Request),
})

const SidecarRecording = v.object({
  how: v.string(),
  answers: v.object({
    /** To each of those requests, in their order: after it has read Flux; */
    fresh: v.array(Answer),
    /** before; */
    unread: v.array(Answer),
    /** and to a client that it does not know. */
    unknown: v.array(Answer),
  }),
})

export type PeerRequest = v.InferOutput<typeof Request>
export type PeerAnswer = v.InferOutput<typeof Answer>
export type GatewayRecording = v.InferOutput<typeof GatewayRecording>
export type SidecarRecording = v.InferOutput<typeof SidecarRecording>

/** The oldest gateway. */
export function readGateway(): GatewayRecording {
  return v.parse(GatewayRecording, read('gateway-fd8987a.json'))
}

/** The last sidecar before there was a gateway. */
export function readSidecar(): SidecarRecording {
  return v.parse(SidecarRecording, read('sidecar-465ea35.json'))
}

function read(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))
}
