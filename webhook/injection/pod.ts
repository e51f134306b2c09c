// The pod of a review, as far as we read it (core/v1 `Pod`). What is not named here stays untouched and unread.
import * as v from 'valibot'
import { parseQuantity } from './container-quantity.ts'

/** Where a volume stands in a container (core/v1 `VolumeMount`). */
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

const Quantities = v.nullish(v.record(v.string(), v.union([v.string(), v.number()])))

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
  resources: v.nullish(v.looseObject({ limits: Quantities, requests: Quantities })),
  volumeMounts: v.nullish(v.array(VolumeMount)),
  securityContext: v.nullish(SecurityContext),
})

/** core/v1 `Volume`: its other key, the source, says of which kind it is. */
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
  }),
  status: v.nullish(v.looseObject({ phase: v.nullish(v.string()) })),
})

/** @returns `undefined` for anything that is no Pod */
export function toPod(object: unknown): Pod | undefined {
  return v.is(PodSchema, object) ? object : undefined
}

export type Pod = v.InferOutput<typeof PodSchema>
export type Container = v.InferOutput<typeof Container>
export type VolumeMount = v.InferOutput<typeof VolumeMount>
export type Volume = v.InferOutput<typeof Volume>
export type Owner = v.InferOutput<typeof OwnerReference>

/** Label and annotation of a pod of an Indexed Job: which completion it stands for. Set by the Job controller. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'

/** The one owner that manages an object (meta/v1 `GetControllerOf`). */
export function controllerOf(metadata: v.InferOutput<typeof Metadata>): Owner | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)
}

/** Every container of the pod, those that run before the others first. */
export function allContainers({ spec }: Pod): readonly Container[] {
  return [...(spec.initContainers ?? []), ...spec.containers]
}

/** The UID that the broker runs as, where the pod says it; else it is the image's. The first container is the broker's. */
export function brokerUser({ spec }: Pod): number | undefined {
  const [broker] = spec.containers
  return broker?.securityContext?.runAsUser ?? spec.securityContext?.runAsUser ?? undefined
}

/** Whether a container says that it listens on a TCP port. All containers of a pod share their ports. */
export function hostsPort({ ports }: Container, port: number): boolean {
  return (ports ?? []).some(
    ({ containerPort, hostPort, protocol }) =>
      (containerPort === port || hostPort === port) && (protocol ?? 'TCP') === 'TCP',
  )
}

/**
 * Whether the pod's quality of service is "Guaranteed": every container has limits of CPU and memory, and requests that
 * equal them (a request that is not set does).
 */
export function isGuaranteed(pod: Pod): boolean {
  return allContainers(pod).every(({ resources }) =>
    ['cpu', 'memory'].every((resource) => {
      const limit = parseQuantity(String(resources?.limits?.[resource] ?? ''))
      const request = resources?.requests?.[resource]
      if (limit === undefined || limit === 0) return false
      return request === undefined || parseQuantity(String(request)) === limit
    }),
  )
}

/** Whether nothing of the pod runs any more. */
export function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

/** How a person finds the pod: its name, or at creation what its name will begin with. */
export function displayName({ metadata }: Pod): string {
  const { name, generateName } = metadata
  return name ?? (generateName === undefined || generateName === null ? '?' : `${generateName}*`)
}
