// What the gateway keeps of a pod with a sidecar: whose it is, and where it can be asked or why not. Pure.
import { isIP } from 'node:net'
import * as v from 'valibot'
import { shorten } from '#serving/text.ts'
import {
  CONTAINER_NAME,
  INJECTED_ANNOTATION,
  MINICLUSTER_LABEL,
  PORT_NAME,
  SERVICE_LABEL,
  SIDECAR_PORT,
} from '../../contract.ts'
import type { ClusterObject } from '../../kubernetes/cluster.ts'
import { isJob } from '../../objects/minicluster.ts'
import { allContainers, completionIndexOf, controllerOf } from '../../objects/pod.ts'
import type { MiniClusterName } from './peer.ts'

/** Where a sidecar listens, or why it does not. */
export type SidecarState =
  | { readonly kind: 'askable'; readonly address: string; readonly port: number }
  /**
   * `waiting`: it will or may answer later. `over`: never again, perhaps another pod of its Job. `finished`: nor any other, because it
   * has succeeded. `why` continues the sentence "pod NAME …".
   */
  | { readonly kind: 'waiting' | 'over' | 'finished'; readonly why: string }

export interface SidecarPod extends MiniClusterName {
  readonly pod: string
  readonly uid: string
  /** UID of the Job that controls it. */
  readonly job: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Version of the webhook that injected the sidecar. */
  readonly version: string
  readonly state: SidecarState
}

const Texts = v.nullish(v.record(v.string(), v.string()), {})

/**
 * A UID has 36 characters. That of an owner is not the API server's: whoever creates a pod writes it, a megabyte of it if he
 * likes.
 */
const Uid = v.pipe(v.string(), v.maxLength(100))

/** A pod may have 200,000 variables: of these lists only one entry is read. */
const Container = v.object({
  name: v.string(),
  ports: v.optional(v.unknown()),
  env: v.optional(v.unknown()),
})

const Named = v.object({ name: v.string() })
const Port = v.object({ containerPort: v.number() })
const Variable = v.object({ value: v.nullish(v.string()) })

const ContainerStatus = v.object({
  name: v.string(),
  state: v.nullish(
    v.object({
      waiting: v.nullish(v.object({ reason: v.nullish(v.string()) })),
      terminated: v.nullish(v.object({ reason: v.nullish(v.string()), exitCode: v.number() })),
    }),
  ),
})

const Condition = v.object({
  type: v.string(),
  status: v.string(),
  reason: v.nullish(v.string()),
})

/** The fields of core/v1 `Pod` that are read. A pod in which one has another type has no sidecar of ours. */
const PodSchema = v.object({
  metadata: v.object({
    name: v.string(),
    namespace: v.string(),
    uid: Uid,
    creationTimestamp: v.string(),
    deletionTimestamp: v.nullish(v.string()),
    labels: Texts,
    annotations: Texts,
    ownerReferences: v.nullish(
      v.array(
        v.object({
          apiVersion: v.string(),
          kind: v.string(),
          name: v.string(),
          uid: Uid,
          controller: v.nullish(v.boolean()),
        }),
      ),
    ),
  }),
  spec: v.object({
    containers: v.array(Container),
    initContainers: v.nullish(v.array(Container)),
  }),
  status: v.nullish(
    v.object({
      phase: v.nullish(v.string()),
      podIP: v.nullish(v.string()),
      conditions: v.nullish(v.array(Condition)),
      containerStatuses: v.nullish(v.array(ContainerStatus)),
      initContainerStatuses: v.nullish(v.array(ContainerStatus)),
    }),
    {},
  ),
})

type Pod = v.InferOutput<typeof PodSchema>
type Container = v.InferOutput<typeof Container>

/** A version is shown to people, and anybody can write an annotation. */
const MAX_VERSION_LENGTH = 64

/** @returns `undefined` for a pod that is no lead broker with a sidecar */
export function toSidecarPod(object: ClusterObject): SidecarPod | undefined {
  const parsed = v.safeParse(PodSchema, object)
  if (!parsed.success) return undefined
  const pod = parsed.output
  const { name, namespace, uid, creationTimestamp, labels, annotations } = pod.metadata
  const minicluster = labels?.[MINICLUSTER_LABEL]
  const version = annotations?.[INJECTED_ANNOTATION]
  const job = jobOf(pod)
  const container = allContainers(pod).find((one) => one.name === CONTAINER_NAME)
  const createdAt = Date.parse(creationTimestamp)
  if (labels?.[SERVICE_LABEL.key] !== SERVICE_LABEL.value) return undefined
  if (completionIndexOf(pod.metadata) !== '0') return undefined
  if (minicluster === undefined || version === undefined || container === undefined)
    return undefined
  // The operator gives the Job the name of its MiniCluster.
  if (job?.name !== minicluster || Number.isNaN(createdAt)) return undefined
  return {
    namespace,
    minicluster,
    pod: name,
    uid,
    job: job.uid,
    createdAt,
    version: shorten(version, { characters: MAX_VERSION_LENGTH }),
    state: stateOf(pod, container),
  }
}

function jobOf({ metadata }: Pod) {
  const owner = controllerOf(metadata)
  return owner !== undefined && isJob(owner) ? owner : undefined
}

/** Whether the pod is ready does not matter: that is the broker's matter. */
function stateOf(pod: Pod, container: Container): SidecarState {
  const { status, metadata } = pod
  if (status?.phase === 'Failed') return { kind: 'over', why: 'has ended (Failed)' }
  // A broker that is told to end, by a drain or because its Job is suspended, succeeds as well: another pod may follow.
  if ((metadata.deletionTimestamp ?? undefined) !== undefined) {
    return { kind: 'over', why: 'is being deleted' }
  }
  if (status?.phase === 'Succeeded') return { kind: 'finished', why: 'has ended (Succeeded)' }
  const why = whyNotRunning(pod)
  if (why !== undefined) return { kind: 'waiting', why }
  const address = status?.podIP ?? ''
  if (isIP(address) === 0) return { kind: 'waiting', why: whyNoAddress(pod) }
  const port = portOf(container)
  if (port === undefined) return { kind: 'waiting', why: 'has a sidecar without a valid port' }
  return { kind: 'askable', address, port }
}

/** What the kubelet says of the container. */
function whyNotRunning({ status }: Pod): string | undefined {
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]
  const { waiting, terminated } = statuses.find(({ name }) => name === CONTAINER_NAME)?.state ?? {}
  if (waiting) return `has a sidecar that waits: ${word(waiting.reason)}`
  if (!terminated) return undefined
  return `has a sidecar that ended with code ${terminated.exitCode} (${word(terminated.reason)})`
}

function whyNoAddress({ status }: Pod): string {
  const scheduled = status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (scheduled?.status === 'False') return `is on no node: ${word(scheduled.reason)}`
  return `has no IP address yet (${word(status?.phase)})`
}

function word(reason: string | null | undefined): string {
  return shorten(reason ?? 'no reason is given', { characters: 64 })
}

/** With the node's network no port is declared: then the environment says it. */
function portOf({ ports, env }: Container): number | undefined {
  const declared = v.safeParse(Port, entryOf(ports, PORT_NAME))
  const listen = v.safeParse(Variable, entryOf(env, 'LISTEN_PORT'))
  const port = declared.success
    ? declared.output.containerPort
    : Number((listen.success ? listen.output.value : undefined) ?? SIDECAR_PORT)
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined
}

function entryOf(list: unknown, name: string): unknown {
  return Array.isArray(list)
    ? list.find((entry) => v.is(Named, entry) && entry.name === name)
    : undefined
}
