// The fields that are read of a pod (core/v1 `Pod`). All other fields stay unread and unchanged. Pure.
import * as v from 'valibot'

/** core/v1 `VolumeMount`. */
const VolumeMount = v.looseObject({
  name: v.string(),
  mountPath: v.string(),
  readOnly: v.nullish(v.boolean()),
  subPath: v.nullish(v.string()),
  subPathExpr: v.nullish(v.string()),
})

const SecurityContext = v.looseObject({
  runAsUser: v.nullish(v.number()),
  runAsNonRoot: v.nullish(v.boolean()),
})

/** core/v1 `ResourceList`. */
export const Quantities = v.nullish(v.record(v.string(), v.union([v.string(), v.number()])))

const Resources = v.nullish(v.looseObject({ limits: Quantities, requests: Quantities }))

/** core/v1 `Container`. */
const Container = v.looseObject({
  name: v.string(),
  ports: v.nullish(
    v.array(
      v.looseObject({
        containerPort: v.number(),
        hostPort: v.nullish(v.number()),
        protocol: v.nullish(v.string()),
      }),
    ),
  ),
  resources: Resources,
  restartPolicy: v.nullish(v.string()),
  volumeMounts: v.nullish(v.array(VolumeMount)),
  securityContext: v.nullish(SecurityContext),
})

/** core/v1 `Volume`. Beside its name it has one key, the source, for example `emptyDir`. */
const Volume = v.looseObject({ name: v.string() })

const Strings = v.nullish(v.record(v.string(), v.string()))

const OwnerReference = v.looseObject({
  apiVersion: v.string(),
  kind: v.string(),
  name: v.string(),
  uid: v.string(),
  controller: v.nullish(v.boolean()),
})

/** meta/v1 `ObjectMeta`. */
export const Metadata = v.looseObject({
  name: v.nullish(v.string()),
  generateName: v.nullish(v.string()),
  namespace: v.nullish(v.string()),
  uid: v.nullish(v.string()),
  labels: Strings,
  annotations: Strings,
  ownerReferences: v.nullish(v.array(OwnerReference)),
  deletionTimestamp: v.nullish(v.string()),
})

const PodSchema = v.looseObject({
  metadata: Metadata,
  spec: v.looseObject({
    containers: v.pipe(v.array(Container), v.minLength(1)),
    initContainers: v.nullish(v.array(Container)),
    volumes: v.nullish(v.array(Volume)),
    hostNetwork: v.nullish(v.boolean()),
    securityContext: v.nullish(SecurityContext),
    automountServiceAccountToken: v.nullish(v.boolean()),
    /** Of the whole pod, since Kubernetes 1.34. */
    resources: Resources,
    overhead: Quantities,
    activeDeadlineSeconds: v.nullish(v.number()),
    priorityClassName: v.nullish(v.string()),
    affinity: v.nullish(v.looseObject({})),
    os: v.nullish(v.looseObject({ name: v.string() })),
    nodeSelector: Strings,
  }),
  status: v.nullish(v.looseObject({ phase: v.nullish(v.string()) })),
})

/** @returns `undefined` for anything that is not a Pod */
export function toPod(object: unknown): Pod | undefined {
  return v.is(PodSchema, object) ? object : undefined
}

export type Pod = v.InferOutput<typeof PodSchema>
export type Container = v.InferOutput<typeof Container>
export type VolumeMount = v.InferOutput<typeof VolumeMount>
export type Volume = v.InferOutput<typeof Volume>
export type Owner = v.InferOutput<typeof OwnerReference>

/** Label and annotation with the index of an Indexed Job's pod. Set by the Job controller. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'

/** The index of an Indexed Job's pod, as it is written there: `"0"` is the lead broker's. */
export function completionIndexOf({ annotations, labels }: Maps): string | undefined {
  return annotations?.[COMPLETION_INDEX] ?? labels?.[COMPLETION_INDEX]
}

interface Maps {
  readonly annotations?: Readonly<Record<string, string>> | null | undefined
  readonly labels?: Readonly<Record<string, string>> | null | undefined
}

/** The one owner that manages an object (meta/v1 `GetControllerOf`). */
export function controllerOf<T extends { readonly controller?: boolean | null | undefined }>({
  ownerReferences,
}: {
  readonly ownerReferences?: readonly T[] | null | undefined
}): T | undefined {
  return ownerReferences?.find(({ controller }) => controller === true)
}

/** A pod with what the reader wants of its containers. */
interface PodOf<T> {
  readonly spec: {
    readonly containers: readonly T[]
    readonly initContainers?: readonly T[] | null | undefined
  }
}

/** Every container of the pod, init containers first. */
export function allContainers<T>({ spec }: PodOf<T>): readonly T[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
}

/**
 * The place of the container that runs Flux. The operator gives that one the MiniCluster's name (until March 2023: with its place
 * after it); helpers have names of their own, and may come first. In a pod that no operator made, the first container is taken
 * for it.
 */
export function brokerIndex({ spec }: Pod, minicluster: string): number {
  const named = spec.containers.findIndex(({ name }) => name === minicluster)
  const numbered = spec.containers.findIndex(({ name }, at) => name === `${minicluster}-${at}`)
  return Math.max(named === -1 ? numbered : named, 0)
}

/** The container that runs Flux; `undefined` only in a pod without containers. */
export function brokerOf(pod: Pod, minicluster: string): Container | undefined {
  return pod.spec.containers[brokerIndex(pod, minicluster)]
}

/** The UID of the broker; `undefined` if the pod leaves the UID to the image. */
export function brokerUser(pod: Pod, minicluster: string): number | undefined {
  const ofContainer = brokerOf(pod, minicluster)?.securityContext?.runAsUser
  return ofContainer ?? pod.spec.securityContext?.runAsUser ?? undefined
}

/** Whether a container declares a TCP port. All containers of a pod share one network, and so their ports. */
export function hostsPort({ ports }: Container, port: number): boolean {
  return (ports ?? []).some(
    ({ containerPort, hostPort, protocol }) =>
      (containerPort === port || hostPort === port) && (protocol ?? 'TCP') === 'TCP',
  )
}

const OS_LABEL = 'kubernetes.io/os'

/** Whether the pod can run on nodes with Windows only. */
export function isWindows({ spec }: Pod): boolean {
  return (
    (spec.os?.name ?? spec.nodeSelector?.[OS_LABEL]) === 'windows' ||
    (spec.securityContext?.windowsOptions ?? undefined) !== undefined
  )
}

/** Whether it is being deleted. The same for a MiniCluster. */
export function isGoing({ metadata }: Pick<Pod, 'metadata'>): boolean {
  return (metadata.deletionTimestamp ?? undefined) !== undefined
}

/** Whether all containers of the pod have ended. */
export function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

/** The pod's name for people. A pod that is being created has only the beginning of its name. */
export function displayName({ metadata }: Pod): string {
  const { name, generateName } = metadata
  return name ?? (generateName === undefined || generateName === null ? '?' : `${generateName}*`)
}
