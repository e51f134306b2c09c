// Warm nodes for a MiniCluster: a CapacityBuffer (autoscaling.x-k8s.io), which makes Karpenter, cluster-autoscaler or GKE keep
// room for more of its pods than run. Pure.
import type { Json } from '../../objects/json.ts'
import { omitEmpty } from '../controllers/omit-empty.ts'
import { operatorJob } from '../controllers/operator-job.ts'
import type { MiniClusterSource } from '../input/files/minicluster-source.ts'
import type { Comment } from '../output/commented-yaml.ts'
import { smallestSizeOf } from './recommended-hpa.ts'

/** A PodTemplate or a CapacityBuffer, and the reasons of its fields. */
export interface HeadroomObject {
  readonly object: Json
  readonly comments: readonly Comment[]
}

/** What of a pod decides which nodes it fits on. Karpenter ignores all else, and volumes would name claims that do not exist. */
const SCHEDULED_BY = ['nodeSelector', 'tolerations', 'affinity', 'runtimeClassName', 'overhead']

/** @returns `undefined` if room for this many pods more than run can be kept; else why not */
export function obstacleToHeadroom(
  minicluster: MiniClusterSource,
  pods: number,
): string | undefined {
  const most = minicluster.spec.maxSize - smallestSizeOf(minicluster)
  if (pods > most) {
    return `--headroom: expected at most ${most}, the pods by which the MiniCluster can grow, got ${pods}`
  }
  const containers = unitOf(minicluster).containers
  if (containers.some(({ resources }) => hasRequests(resources))) return undefined
  return '--headroom: expected a container with requests: pods that request nothing fit on any node, so no room would be kept'
}

/** The objects that keep room for `pods` pods more than run, in the order in which they are applied. */
export function headroomFor(
  minicluster: MiniClusterSource,
  pods: number,
): readonly HeadroomObject[] {
  const { name, namespace } = minicluster.metadata
  const metadata = { name: `${name}-headroom`, ...(namespace && { namespace }) }
  return [template(minicluster, metadata), buffer(metadata, pods)]
}

interface Header extends Json {
  readonly name: string
}

function template(minicluster: MiniClusterSource, metadata: Header): HeadroomObject {
  const { labels, containers, initContainers, scheduling } = unitOf(minicluster)
  const spec = { initContainers, containers, ...scheduling }
  return {
    object: {
      apiVersion: 'v1',
      kind: 'PodTemplate',
      metadata,
      template: { metadata: { labels }, spec },
    },
    comments: [
      {
        path: ['template'],
        text: `A pod of the MiniCluster other than the lead's, as far as nodes are chosen for it. No such pod is ever created.
Print it again when the requests, node selectors or tolerations of the MiniCluster have changed.`,
      },
    ],
  }
}

function buffer(metadata: Header, pods: number): HeadroomObject {
  return {
    object: {
      apiVersion: 'autoscaling.x-k8s.io/v1beta1',
      kind: 'CapacityBuffer',
      metadata,
      spec: {
        podTemplateRef: { name: metadata.name },
        replicas: pods,
        provisioningStrategy: 'buffer.x-k8s.io/active-capacity',
      },
    },
    comments: [
      {
        path: ['kind'],
        text: `Karpenter (1.14) needs the feature gate CapacityBuffer=true; cluster-autoscaler (1.35) the flags
--capacity-buffer-controller-enabled and --capacity-buffer-pod-injection-enabled. GKE has it since 1.35.2.`,
      },
      {
        path: ['spec', 'podTemplateRef'],
        text: 'A PodTemplate, because Karpenter reads no MiniCluster.',
      },
      {
        path: ['spec', 'replicas'],
        text: `Room for this many pods more than run. A growth by no more than this waits for no node.
It is filled again after each growth, and costs its nodes all the time.`,
      },
    ],
  }
}

/** A container as far as nodes are chosen for it. */
interface SizedContainer {
  readonly name: unknown
  readonly image: unknown
  readonly resources: unknown
}

/** The parts of the pods that the operator creates. The sidecar is in the lead's pod only, and not among them. */
function unitOf(minicluster: MiniClusterSource) {
  const { template } = fieldsOf(fieldsOf(operatorJob(minicluster)).spec)
  const { metadata, spec } = fieldsOf(template)
  const pod = fieldsOf(spec)
  return {
    labels: fieldsOf(metadata).labels,
    initContainers: sized(pod.initContainers),
    containers: sized(pod.containers),
    scheduling: omitEmpty(Object.fromEntries(SCHEDULED_BY.map((field) => [field, pod[field]]))),
  }
}

function fieldsOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function sized(containers: unknown): readonly SizedContainer[] {
  if (!Array.isArray(containers)) return []
  return containers.map(fieldsOf).map(({ name, image, resources }) => ({
    name,
    image,
    resources: withRequests(fieldsOf(resources)),
  }))
}

/** For a pod the API server takes limits for requests that are missing. For a PodTemplate it does not. */
function withRequests({ requests, limits, ...rest }: Json): Json {
  const all = { ...fieldsOf(limits), ...fieldsOf(requests) }
  return omitEmpty({ ...rest, requests: all, limits })
}

function hasRequests(resources: unknown): boolean {
  return Object.keys(fieldsOf(fieldsOf(resources).requests)).length > 0
}
