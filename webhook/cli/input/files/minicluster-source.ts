// A MiniCluster as far as its operator makes a Job of it (flux-framework.org/v1alpha2): more than the webhook reads.
// The operator's Go code does not distinguish an absent field from an empty one: absent fields get Go's empty values.
import * as v from 'valibot'
import { Metadata } from '../../../objects/pod.ts'

const Text = v.nullish(v.string(), '')
const Flag = v.nullish(v.boolean(), false)
const Count = v.nullish(v.pipe(v.number(), v.integer(), v.minValue(0)), 0)
const Texts = v.nullish(v.record(v.string(), v.string()), {})
/** The operator copies it into the pod unchanged. */
const Verbatim = v.nullish(v.record(v.string(), v.unknown()), {})

/** A volume that exists already (`ContainerVolume`). The field that is set decides its kind. */
const Volume = v.looseObject({
  path: Text,
  readOnly: Flag,
  hostPath: Text,
  configMapName: Text,
  items: Texts,
  claimName: Text,
  secretName: Text,
  emptyDir: Flag,
  emptyDirMedium: Text,
  emptyDirSizeLimit: Text,
  csiDriver: Text,
  csiDriverAttributes: Texts,
})

const Container = v.looseObject({
  name: Text,
  image: v.nullish(v.string(), 'ghcr.io/rse-ops/accounting:app-latest'),
  workingDir: Text,
  pullAlways: Flag,
  imagePullPolicy: Text,
  imagePullSecret: Text,
  ports: v.nullish(v.array(v.number()), []),
  environment: Texts,
  secrets: v.nullish(
    v.record(v.string(), v.looseObject({ name: v.string(), key: v.string() })),
    {},
  ),
  runFlux: Flag,
  noWrapEntrypoint: Flag,
  volumes: v.nullish(v.record(v.string(), Volume), {}),
  lifeCycle: v.nullish(v.looseObject({ postStartExec: Text, preStopExec: Text }), {}),
  resources: Verbatim,
  securityContext: Verbatim,
})

/** A container that is the only one runs Flux, whether it has `runFlux` or not. */
function assumeRunner(containers: v.InferOutput<typeof Container>[]): typeof containers {
  return containers.length === 1 ? containers.map((one) => ({ ...one, runFlux: true })) : containers
}

/** The init container that provides Flux. */
const View = v.looseObject({
  name: v.nullish(v.string(), 'flux-view'),
  image: v.nullish(v.string(), 'ghcr.io/converged-computing/flux-view-ubuntu:tag-noble'),
  mountPath: v.nullish(v.string(), '/mnt/flux'),
  workingDir: Text,
  pullAlways: Flag,
  resources: Verbatim,
  securityContext: Verbatim,
})

const PodOptions = v.looseObject({
  annotations: Texts,
  labels: Texts,
  restartPolicy: Text,
  serviceAccountName: Text,
  runtimeClassName: Text,
  automountServiceAccountToken: Flag,
  schedulerName: Text,
  nodeSelector: Texts,
  nodeAffinity: v.nullish(v.record(v.string(), v.array(v.string())), {}),
  tolerations: v.nullish(
    v.array(v.looseObject({ key: Text, effect: Text, operator: Text, value: Text })),
    [],
  ),
  dnsPolicy: Text,
  hostIPC: Flag,
  hostPID: Flag,
  resources: Verbatim,
  securityContext: v.nullish(v.looseObject({ fsGroup: v.nullish(v.number()) }), {}),
})

export const MiniClusterSource = v.looseObject({
  metadata: v.looseObject({ ...Metadata.entries, name: v.string() }),
  spec: v.looseObject({
    containers: v.pipe(v.array(Container), v.minLength(1), v.transform(assumeRunner)),
    size: v.nullish(v.pipe(v.number(), v.integer()), 1),
    minSize: Count,
    maxSize: Count,
    jobLabels: Texts,
    shareProcessNamespace: Flag,
    backoffLimit: Count,
    deadlineSeconds: v.nullish(v.number(), 31_500_000),
    network: v.nullish(v.looseObject({ headlessName: Text, disableAffinity: Flag }), {}),
    flux: v.nullish(v.looseObject({ container: v.nullish(View, {}) }), {}),
    pod: v.nullish(PodOptions, {}),
  }),
})

export type MiniClusterSource = v.InferOutput<typeof MiniClusterSource>
export type ContainerSource = v.InferOutput<typeof Container>
export type VolumeSource = v.InferOutput<typeof Volume>

/**
 * Why the operator refuses a MiniCluster and creates nothing for it (its `Validate`).
 *
 * @returns `undefined` if the operator accepts it
 */
export function refusalOf({ spec }: MiniClusterSource): string | undefined {
  const { size, minSize, maxSize, containers } = spec
  if (size < 1) return `spec.size is ${size}`
  if (maxSize !== 0 && maxSize < size) return `spec.size is ${size}, above spec.maxSize ${maxSize}`
  if (minSize > size) return `spec.size is ${size}, below spec.minSize ${minSize}`
  const runners = containers.filter(({ runFlux }) => runFlux)
  if (runners.length !== 1) {
    return `${runners.length} of its ${containers.length} containers have runFlux: true, expected exactly 1`
  }
  const unnamed = containers.findIndex(({ runFlux, name }) => !runFlux && name === '')
  return unnamed === -1 ? undefined : `spec.containers[${unnamed}] has no name`
}
