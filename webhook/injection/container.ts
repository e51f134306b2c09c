// The container that is injected: what is in it and why. Pure; where it goes in the pod is patch.ts's.
import { CONTAINER_NAME, METRICS_SERVICE, PORT_NAME, SIDECAR_PORT } from '../contract.ts'
import type { Settings } from './annotations.ts'
import { isMore } from './container-quantity.ts'
import type { Plan } from './plan.ts'
import { isGuaranteed, type Pod } from './pod.ts'
import { FILES, type Json, sidecarMounts } from './volumes.ts'

export type { Json } from './volumes.ts'

/** The user of distroless images. Brokers take any UID for a guest. */
const DEFAULT_UID = 65_532

/** What is asked for where the user says nothing. A reading costs a few milliseconds of CPU; RSS stays under 96 MiB. */
const CPU_REQUEST = '25m'
/** Where it is the limit too: with less, the start and every handshake would take seconds. */
const GUARANTEED_CPU = '100m'
const CPU_LIMIT = '1'
const MEMORY_REQUEST = '64Mi'
const MEMORY_LIMIT = '128Mi'

/** What the webhook's own configuration says of every sidecar. */
export interface SidecarOptions {
  readonly image: string
  readonly imagePullPolicy: string | undefined
  /** Of this program, for the annotation. */
  readonly version: string
  /** Where sidecars get their certificates; `undefined` where we issue none. */
  readonly identity: AuthorityAddress | undefined
  /** The front proxy, for sidecars whose certificate is provided; `undefined` while it is not known. */
  readonly frontProxy: FrontProxy | undefined
}

/** Where the authority is, and the PEM of its CA, which is public. */
export interface AuthorityAddress {
  readonly url: string
  readonly ca: string
}

/** Who the front proxy is: PEM of its authority, which is public, and its common names (none is any). */
export interface FrontProxy {
  readonly clientCa: string
  readonly allowedNames: readonly string[]
}

/** The container (core/v1 `Container`). */
export function sidecarContainer(pod: Pod, plan: Plan, options: SidecarOptions): Json {
  const { settings, native } = plan
  return {
    name: CONTAINER_NAME,
    image: options.image,
    ...(options.imagePullPolicy !== undefined && { imagePullPolicy: options.imagePullPolicy }),
    ...(native && { restartPolicy: 'Always' }),
    env: environment(plan, options),
    ports: [{ name: PORT_NAME, containerPort: SIDECAR_PORT, protocol: 'TCP' }],
    resources: resources(pod, settings),
    securityContext: securityContext(settings),
    // Alive only. Readiness would be the pod's, and a pod that is not ready has no DNS name: no worker finds its broker.
    livenessProbe: {
      httpGet: { path: '/livez', port: SIDECAR_PORT, scheme: 'HTTPS' },
      initialDelaySeconds: 10,
      periodSeconds: 10,
      timeoutSeconds: 5,
      failureThreshold: 6,
    },
    volumeMounts: sidecarMounts(pod, plan),
  }
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
          IDENTITY_TOKEN_FILE: FILES.token,
          IDENTITY_CA: identity?.ca,
        }
      : {
          TLS_CERT_FILE: FILES.cert,
          TLS_KEY_FILE: FILES.key,
          CLIENT_CA_FILE: FILES.clientCa,
          CLIENT_ALLOWED_NAMES: frontProxy?.allowedNames.join(',') || undefined,
        }),
    METRICS_FILE: settings.metricsConfig === undefined ? undefined : FILES.metrics,
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
