// The fields that the webhook reads of a MiniCluster (flux-framework.org) and of the Job between it and its pods. Pure.
import * as v from 'valibot'
import { controllerOf, Metadata, type Owner } from './pod.ts'

const GROUP = 'flux-framework.org'

/** The kind as a review names it. */
export const KIND = `MiniCluster.${GROUP}`

/** All fields of `spec` are optional: the operator fills in their defaults late or never. */
const MiniClusterSchema = v.looseObject({
  apiVersion: v.string(),
  metadata: v.looseObject({ ...Metadata.entries, name: v.string() }),
  spec: v.nullish(
    v.looseObject({
      pod: v.nullish(v.looseObject({ annotations: v.nullish(v.record(v.string(), v.string())) })),
      containers: v.nullish(
        v.array(
          v.looseObject({
            runFlux: v.nullish(v.boolean()),
            environment: v.nullish(v.record(v.string(), v.string())),
          }),
        ),
      ),
      flux: v.nullish(
        v.looseObject({
          container: v.nullish(v.looseObject({ mountPath: v.nullish(v.string()) })),
          disableSocket: v.nullish(v.boolean()),
          scheduler: v.nullish(
            v.looseObject({ simple: v.nullish(v.boolean()), queuePolicy: v.nullish(v.string()) }),
          ),
          brokerConfig: v.nullish(v.string()),
          bursting: v.nullish(
            v.looseObject({
              leadBroker: v.nullish(v.looseObject({ address: v.nullish(v.string()) })),
              hostlist: v.nullish(v.string()),
              clusters: v.nullish(v.array(v.looseObject({ name: v.nullish(v.string()) }))),
            }),
          ),
        }),
      ),
    }),
  ),
})

export type MiniCluster = v.InferOutput<typeof MiniClusterSchema>

const JobSchema = v.looseObject({
  metadata: v.looseObject({ ...Metadata.entries, uid: v.string() }),
})

/** A batch/v1 `Job` with its owner references. */
export type Job = v.InferOutput<typeof JobSchema>

/** The CRD's default of `spec.flux.container.mountPath`. */
const MOUNT_PATH = '/mnt/flux'

/** Whether an owner is a MiniCluster of any version. */
function isMiniCluster({ apiVersion, kind }: Owner): boolean {
  return kind === 'MiniCluster' && apiVersion.startsWith(`${GROUP}/`)
}

/** The owner reference of the MiniCluster that controls an object. */
export function miniClusterOf(metadata: Parameters<typeof controllerOf>[0]): Owner | undefined {
  const owner = controllerOf(metadata)
  return owner !== undefined && isMiniCluster(owner) ? owner : undefined
}

export function isJob({ apiVersion, kind }: Owner): boolean {
  return kind === 'Job' && apiVersion.startsWith('batch/')
}

/** @returns `undefined` for anything that is not a MiniCluster */
export function toMiniCluster(object: unknown): MiniCluster | undefined {
  return v.is(MiniClusterSchema, object) ? object : undefined
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
  return `${mountPath.replace(/\/+$/, '')}/config/run/flux/local`
}

/** Whether the user asked for a broker without a socket. */
export function hasNoSocket({ spec }: MiniCluster): boolean {
  return spec?.flux?.disableSocket === true
}
