// The fields that are read of a MiniCluster (flux-framework.org) and of the Job between it and its pods. Pure.
import * as v from 'valibot'
import { controllerOf, Metadata, type Owner } from './pod.ts'
import { withoutEndSlashes } from './socket-path.ts'

const GROUP = 'flux-framework.org'

/** The only version that operators serve today. That of an owner reference may be another. */
export const MINICLUSTER = { apiVersion: `${GROUP}/v1alpha2`, kind: 'MiniCluster' } as const

/** The kind in all its versions, as a review names it. */
export const MINICLUSTER_GROUP_KIND = `MiniCluster.${GROUP}`

/** Fields of another type, in an operator to come, are not read: they stop neither an injection nor advice on the others. */
const Text = v.fallback(v.nullish(v.string()), undefined)
const Flag = v.fallback(v.nullish(v.boolean()), undefined)
const Count = v.fallback(v.nullish(v.number()), undefined)
const Texts = v.fallback(v.nullish(v.record(v.string(), v.string())), undefined)

const Scheduler = v.looseObject({ simple: Flag, queuePolicy: Text })

const Bursting = v.looseObject({
  leadBroker: v.fallback(v.nullish(v.looseObject({ address: Text })), undefined),
  hostlist: Text,
  clusters: v.fallback(v.nullish(v.array(v.looseObject({ name: Text }))), undefined),
})

const Flux = v.looseObject({
  container: v.fallback(v.nullish(v.looseObject({ mountPath: Text })), undefined),
  disableSocket: Flag,
  scheduler: v.fallback(v.nullish(Scheduler), undefined),
  brokerConfig: Text,
  bursting: v.fallback(v.nullish(Bursting), undefined),
})

const Container = v.fallback(v.looseObject({ runFlux: Flag, environment: Texts }), {})

/** All fields of `spec` are optional: the operator fills in their defaults late or never. */
const Spec = v.looseObject({
  size: Count,
  maxSize: Count,
  jobLabels: Texts,
  pod: v.fallback(v.nullish(v.looseObject({ annotations: Texts })), undefined),
  containers: v.fallback(v.nullish(v.array(Container)), undefined),
  flux: v.fallback(v.nullish(Flux), undefined),
})

const Condition = v.fallback(v.looseObject({ type: Text, status: Text }), {})

const Status = v.looseObject({
  conditions: v.fallback(v.nullish(v.array(Condition)), undefined),
})

const MiniClusterSchema = v.looseObject({
  apiVersion: v.string(),
  metadata: v.looseObject({ ...Metadata.entries, name: v.string() }),
  spec: v.nullish(Spec),
  status: v.fallback(v.nullish(Status), undefined),
})

const UnnamedSchema = v.looseObject({
  metadata: v.looseObject({ name: v.nullish(v.literal('')), generateName: v.string() }),
})

export type MiniCluster = v.InferOutput<typeof MiniClusterSchema>

const JobSchema = v.looseObject({
  metadata: v.looseObject({ ...Metadata.entries, uid: v.string() }),
})

/** A batch/v1 `Job` with its owner references. */
export type Job = v.InferOutput<typeof JobSchema>

/** What references to objects say of the kind. Those of the core API may leave the version out. */
interface KindReference {
  readonly apiVersion?: string | undefined
  readonly kind: string
}

/** The CRD's default of `spec.flux.container.mountPath`. */
const MOUNT_PATH = '/mnt/flux'

/** Whether a reference is to a MiniCluster of any version: Kubernetes looks at the group and the kind alone. */
export function isMiniCluster({ apiVersion, kind }: KindReference): boolean {
  return kind === 'MiniCluster' && apiVersion?.startsWith(`${GROUP}/`) === true
}

/** The owner reference of the MiniCluster that controls an object. */
export function miniClusterOf(metadata: v.InferOutput<typeof Metadata>): Owner | undefined {
  const owner = controllerOf(metadata)
  return owner !== undefined && isMiniCluster(owner) ? owner : undefined
}

export function isJob({ apiVersion, kind }: KindReference): boolean {
  return kind === 'Job' && apiVersion?.startsWith('batch/') === true
}

/** @returns `undefined` for anything that is not a MiniCluster */
export function toMiniCluster(object: unknown): MiniCluster | undefined {
  const parsed = v.safeParse(MiniClusterSchema, object)
  return parsed.success ? parsed.output : undefined
}

/**
 * A MiniCluster that may have no name yet: the API server makes it of `generateName` after the review. Until then `*` stands
 * for its end.
 */
export function toNewMiniCluster(object: unknown): MiniCluster | undefined {
  if (!v.is(UnnamedSchema, object)) return toMiniCluster(object)
  const { metadata } = object
  return toMiniCluster({ ...object, metadata: { ...metadata, name: `${metadata.generateName}*` } })
}

/** @returns `undefined` for anything that is not a Job */
export function toJob(object: unknown): Job | undefined {
  return v.is(JobSchema, object) ? object : undefined
}

/** Operators of 2022 and 2023. Their brokers have the socket in the file system of their container, on no volume. */
const V1ALPHA1 = { apiVersion: `${GROUP}/v1alpha1`, socket: '/run/flux/local' } as const

/** The path at which the operator's start script makes the broker's socket. */
export function socketOf({ apiVersion, spec }: MiniCluster): string {
  if (apiVersion === V1ALPHA1.apiVersion) return V1ALPHA1.socket
  const mountPath = spec?.flux?.container?.mountPath ?? MOUNT_PATH
  return `${withoutEndSlashes(mountPath)}/config/run/flux/local`
}

/** Whether the operator has made the MiniCluster's Job, and its jobs have not ended. */
export function isRunning(minicluster: MiniCluster): boolean {
  return (minicluster.status?.conditions ?? []).length > 0 && !hasFinished(minicluster)
}

/** Whether the operator says that its jobs have ended. */
export function hasFinished({ status }: MiniCluster): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => type === 'JobFinished' && value === 'True',
  )
}

/** Whether the user asked for a broker without a socket. */
export function hasNoSocket({ spec }: MiniCluster): boolean {
  return spec?.flux?.disableSocket === true
}
