// The volumes of the injected container, and its mounts of them. Pure.
import { CLIENT_CA_ANNOTATION, TOKEN_AUDIENCE } from '../contract.ts'
import type { Settings } from '../objects/annotation-rules.ts'
import type { Json } from '../objects/json.ts'
import type { Pod } from '../objects/pod.ts'
import type { Plan } from './plan.ts'

const SOCKET_VOLUME = 'flux-metrics-socket'
const IDENTITY_VOLUME = 'flux-metrics-identity'
const TLS_VOLUME = 'flux-metrics-tls'
const METRICS_VOLUME = 'flux-metrics-config'
const NO_TOKEN_VOLUME = 'flux-metrics-no-token'

/** Names of all volumes that an injection may add. */
export const VOLUMES: readonly string[] = [
  SOCKET_VOLUME,
  IDENTITY_VOLUME,
  TLS_VOLUME,
  METRICS_VOLUME,
  NO_TOKEN_VOLUME,
]

const IDENTITY_FOLDER = '/var/run/flux-metrics/identity'
const TLS_FOLDER = '/var/run/flux-metrics/tls'
const METRICS_FOLDER = '/var/run/flux-metrics/config'
/** The key of the ConfigMap, and the name of the file. */
const METRICS_KEY = 'metrics.yaml'

/** The lifetime of the token. The kubelet renews it after four fifths. */
const TOKEN_SECONDS = 3600

/** The admission plugin ServiceAccount mounts its token here, except in containers that have another mount here. */
const TOKEN_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Paths in the container, for its environment variables. */
export const FILES = {
  token: `${IDENTITY_FOLDER}/token`,
  cert: `${TLS_FOLDER}/tls.crt`,
  key: `${TLS_FOLDER}/tls.key`,
  clientCa: `${TLS_FOLDER}/client-ca.crt`,
  metrics: `${METRICS_FOLDER}/${METRICS_KEY}`,
} as const

/** The volumes that the container needs and the pod does not have (core/v1 `Volume`). */
export function sidecarVolumes(pod: Pod, { socket, settings }: Plan): readonly Json[] {
  return [
    ...(socket.kind === 'new' ? [{ name: SOCKET_VOLUME, emptyDir: {} }] : []),
    credentialVolume(settings),
    ...metricsConfig(settings).volumes,
    ...tokenMask(pod).volumes,
  ]
}

/** The mount that the broker's container needs for a new volume. */
export function brokerMount({ socket }: Plan): Json | undefined {
  return socket.kind === 'new' ? { name: SOCKET_VOLUME, mountPath: socket.folder } : undefined
}

/** The mounts of the container (core/v1 `VolumeMount`). */
export function sidecarMounts(pod: Pod, plan: Plan): readonly Json[] {
  const { settings } = plan
  return [
    socketMount(plan),
    ...credentialMounts(settings),
    ...metricsConfig(settings).mounts,
    ...tokenMask(pod).mounts,
  ]
}

/** Read-only: a client can connect to a socket in a read-only mount. */
function socketMount({ socket }: Plan): Json {
  if (socket.kind === 'shared') {
    const { name, mountPath, subPath } = socket.mount
    return { name, mountPath, readOnly: true, ...((subPath ?? '') !== '' && { subPath }) }
  }
  return { name: SOCKET_VOLUME, mountPath: socket.folder, readOnly: true }
}

function credentialMounts({ tlsSecret }: Settings): readonly Json[] {
  return tlsSecret === undefined
    ? [{ name: IDENTITY_VOLUME, mountPath: IDENTITY_FOLDER, readOnly: true }]
    : [{ name: TLS_VOLUME, mountPath: TLS_FOLDER, readOnly: true }]
}

/**
 * A projected token for the webhook's authority, or the Secret that the user provides (as cert-manager makes it). With a
 * Secret the CA of the front proxy comes from an annotation of the pod; the kubelet updates the file when the annotation
 * changes. If the Secret does not exist, the pod does not start, and the kubelet reports it.
 */
function credentialVolume({ tlsSecret }: Settings): Json {
  const sources =
    tlsSecret === undefined
      ? [
          {
            serviceAccountToken: {
              audience: TOKEN_AUDIENCE,
              expirationSeconds: TOKEN_SECONDS,
              path: 'token',
            },
          },
        ]
      : [
          {
            secret: {
              name: tlsSecret,
              items: ['tls.crt', 'tls.key'].map((key) => ({ key, path: key })),
            },
          },
          {
            downwardAPI: {
              items: [
                {
                  path: 'client-ca.crt',
                  fieldRef: { fieldPath: `metadata.annotations['${CLIENT_CA_ANNOTATION}']` },
                },
              ],
            },
          },
        ]
  const name = tlsSecret === undefined ? IDENTITY_VOLUME : TLS_VOLUME
  return { name, projected: { sources } }
}

/** Volumes of the pod, with the container's mounts of them. */
interface Mounted {
  readonly volumes: readonly Json[]
  readonly mounts: readonly Json[]
}

/**
 * The metrics that users define. Optional, because a missing ConfigMap would stop the lead broker's pod from starting. The
 * kubelet adds the file when the ConfigMap is created, because the whole folder is mounted (no `subPath`).
 */
function metricsConfig({ metricsConfig: name }: Settings): Mounted {
  if (name === undefined) return { volumes: [], mounts: [] }
  const items = [{ key: METRICS_KEY, path: METRICS_KEY }]
  return {
    volumes: [{ name: METRICS_VOLUME, configMap: { name, items, optional: true } }],
    mounts: [{ name: METRICS_VOLUME, mountPath: METRICS_FOLDER, readOnly: true }],
  }
}

/** An empty mount that keeps the token of the pod's service account out of the sidecar. */
function tokenMask(pod: Pod): Mounted {
  if (pod.spec.automountServiceAccountToken === false) return { volumes: [], mounts: [] }
  return {
    volumes: [{ name: NO_TOKEN_VOLUME, emptyDir: {} }],
    mounts: [{ name: NO_TOKEN_VOLUME, mountPath: TOKEN_FOLDER, readOnly: true }],
  }
}
