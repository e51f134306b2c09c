// The container that is injected, with its volumes: what is in it and why. Pure; where it goes in the pod is patch.ts's.
import { CLIENT_CA, type Settings } from './annotations.ts'
import type { Plan } from './plan.ts'
import { isGuaranteed, type Pod } from './pod.ts'
import { isMore } from './quantity.ts'

export const NAME = 'flux-metrics'
export const LISTEN_PORT = 8443
/** Its name in `targetPort`s. */
export const PORT_NAME = 'custom-metrics'

const SOCKET_VOLUME = 'flux-metrics-socket'
const IDENTITY_VOLUME = 'flux-metrics-identity'
const TLS_VOLUME = 'flux-metrics-tls'
const NO_TOKEN_VOLUME = 'flux-metrics-no-token'

/** Names of volumes that may be added. */
export const VOLUMES: readonly string[] = [
  SOCKET_VOLUME,
  IDENTITY_VOLUME,
  TLS_VOLUME,
  NO_TOKEN_VOLUME,
]

const IDENTITY_FOLDER = '/var/run/flux-metrics/identity'
const TLS_FOLDER = '/var/run/flux-metrics/tls'

/** Audience of the projected token: it is good for nothing but asking us for a certificate. */
export const TOKEN_AUDIENCE = 'flux-metrics'
/** The kubelet renews it at four fifths. */
const TOKEN_SECONDS = 3600

/** The user of distroless images. Brokers take any UID for a guest. */
const DEFAULT_UID = 65_532

/** What is asked for where the user says nothing. A reading costs a few milliseconds of CPU; RSS stays under 96 MiB. */
const CPU_REQUEST = '25m'
/** Where it is the limit too: with less, the start and every handshake would take seconds. */
const GUARANTEED_CPU = '100m'
const CPU_LIMIT = '1'
const MEMORY_REQUEST = '64Mi'
const MEMORY_LIMIT = '128Mi'

/** The admission plugin ServiceAccount mounts its token here, but for containers that mount something else here. */
const TOKEN_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The Service that the sidecar's metrics describe as well: the prototype's. */
export const METRICS_SERVICE = 'custom-metrics-apiserver'

/** The pod's label by which that Service finds it. */
export const SERVICE_LABEL = { key: 'api-server', value: 'custom-metrics' } as const

/** What the webhook's own configuration says of every sidecar. */
export interface SidecarOptions {
  readonly image: string
  readonly imagePullPolicy: string | undefined
  /** Of this program, for the annotation. */
  readonly version: string
  /** Where sidecars get their certificates; `undefined` where we issue none. */
  readonly identity: Identity | undefined
  /** The front proxy, for sidecars whose certificate is provided; `undefined` while it is not known. */
  readonly frontProxy: FrontProxy | undefined
}

/** Where the authority is, and the PEM of its CA, which is public. */
export interface Identity {
  readonly url: string
  readonly ca: string
}

/** Who the front proxy is: PEM of its authority, which is public, and its common names (none is any). */
export interface FrontProxy {
  readonly clientCa: string
  readonly allowedNames: readonly string[]
}

/** core/v1 objects, as they go into the patch. */
export type Json = Readonly<Record<string, unknown>>

/** The container (core/v1 `Container`). */
export function sidecarContainer(pod: Pod, plan: Plan, options: SidecarOptions): Json {
  const { settings, native } = plan
  return {
    name: NAME,
    image: options.image,
    ...(options.imagePullPolicy !== undefined && { imagePullPolicy: options.imagePullPolicy }),
    ...(native && { restartPolicy: 'Always' }),
    env: environment(plan, options),
    ports: [{ name: PORT_NAME, containerPort: LISTEN_PORT, protocol: 'TCP' }],
    resources: resources(pod, settings),
    securityContext: securityContext(settings),
    // Alive only. Readiness would be the pod's, and a pod that is not ready has no DNS name: no worker finds its broker.
    livenessProbe: {
      httpGet: { path: '/livez', port: LISTEN_PORT, scheme: 'HTTPS' },
      initialDelaySeconds: 10,
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    volumeMounts: [socketMount(plan), ...credentialMounts(settings), ...tokenMask(pod).mounts],
  }
}

/** The volumes that the container needs and the pod has not (core/v1 `Volume`). */
export function sidecarVolumes(pod: Pod, { socket, settings }: Plan): readonly Json[] {
  return [
    ...(socket.kind === 'new' ? [{ name: SOCKET_VOLUME, emptyDir: {} }] : []),
    credentialVolume(settings),
    ...tokenMask(pod).volumes,
  ]
}

/** The mount that the broker's own container needs, where the volume is a new one. */
export function brokerMount({ socket }: Plan): Json | undefined {
  return socket.kind === 'new' ? { name: SOCKET_VOLUME, mountPath: socket.folder } : undefined
}

function environment(plan: Plan, { identity, frontProxy }: SidecarOptions): readonly Json[] {
  const { settings, minicluster, socket } = plan
  const variables: Record<string, string | undefined> = {
    FLUX_URI: `local://${socket.path}`,
    NAMESPACE: minicluster.namespace,
    MINICLUSTER: minicluster.name,
    SERVICE_NAME: METRICS_SERVICE,
    ...(settings.tlsSecret === undefined
      ? {
          IDENTITY_URL: identity?.url,
          IDENTITY_TOKEN_FILE: `${IDENTITY_FOLDER}/token`,
          IDENTITY_CA: identity?.ca,
        }
      : {
          TLS_CERT_FILE: `${TLS_FOLDER}/tls.crt`,
          TLS_KEY_FILE: `${TLS_FOLDER}/tls.key`,
          CLIENT_CA_FILE: `${TLS_FOLDER}/client-ca.crt`,
          CLIENT_ALLOWED_NAMES: frontProxy?.allowedNames.join(',') || undefined,
        }),
    EXTERNAL_METRICS: settings.externalMetrics === true ? 'true' : undefined,
    DRAIN: settings.drain === true ? 'true' : undefined,
    IDLE_GRACE_SECONDS: settings.idleGraceSeconds?.toString(),
    EXIT_WITH_BROKER: plan.native ? undefined : 'true',
    LOG_LEVEL: settings.logLevel,
  }
  return Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value }],
  )
}

/** Connecting to a socket needs no writing. */
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
 * What is provided is the Secret alone, as cert-manager makes one. Whom to take for the front proxy comes from an
 * annotation of the pod: the kubelet writes the file anew when that is changed. A Secret that is not there keeps the pod
 * waiting, and the kubelet says so.
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
                  fieldRef: { fieldPath: `metadata.annotations['${CLIENT_CA}']` },
                },
              ],
            },
          },
        ]
  const name = tlsSecret === undefined ? IDENTITY_VOLUME : TLS_VOLUME
  return { name, projected: { sources } }
}

/** Keeps the service account's token, if the pod has one, out of our container. */
function tokenMask(pod: Pod): {
  readonly volumes: readonly Json[]
  readonly mounts: readonly Json[]
} {
  if (pod.spec.automountServiceAccountToken === false) return { volumes: [], mounts: [] }
  return {
    volumes: [{ name: NO_TOKEN_VOLUME, emptyDir: {} }],
    mounts: [{ name: NO_TOKEN_VOLUME, mountPath: TOKEN_FOLDER, readOnly: true }],
  }
}

/** Passes Pod Security "restricted", but for UID 0, which only a user asks for. */
function securityContext({ runAsUser = DEFAULT_UID }: Settings): Json {
  return {
    runAsUser,
    runAsGroup: runAsUser,
    runAsNonRoot: runAsUser !== 0,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  }
}

/** A pod whose containers all have limits equal to requests has its own cores on some nodes: it must stay so. */
function resources(pod: Pod, settings: Settings): Json {
  const { cpuRequest = CPU_REQUEST, memoryLimit = MEMORY_LIMIT } = settings
  if (isGuaranteed(pod)) {
    const amounts = { cpu: settings.cpuRequest ?? GUARANTEED_CPU, memory: memoryLimit }
    return { requests: amounts, limits: amounts }
  }
  return {
    requests: { cpu: cpuRequest, memory: MEMORY_REQUEST },
    // A request above its limit would be refused, and the pod with it.
    limits: { cpu: isMore(cpuRequest, CPU_LIMIT) ? cpuRequest : CPU_LIMIT, memory: memoryLimit },
  }
}
