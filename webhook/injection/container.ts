// The injected container and the reasons for its fields. Pure. Its place in the pod is decided in patch.ts.
import { CONTAINER_NAME, METRICS_SERVICE, PORT_NAME, SIDECAR_PORT } from '../contract.ts'
import type { Json } from '../objects/json.ts'
import type { Pod } from '../objects/pod.ts'
import type { Plan } from './plan.ts'
import { securityContext } from './security.ts'
import { FILES, sidecarMounts } from './volumes.ts'

/** The options that all sidecars have in common, from the webhook's own configuration. */
export interface SidecarOptions {
  readonly image: string
  readonly imagePullPolicy: string | undefined
  /** The version of the webhook, for the annotation `flux-metrics/injected`. */
  readonly version: string
  /** The authority that issues certificates to sidecars; `undefined` while the webhook issues none. */
  readonly identity: AuthorityAddress | undefined
  /** The front proxy, for sidecars whose certificate is provided; `undefined` while it is not known. */
  readonly frontProxy: FrontProxy | undefined
}

/** URL of the authority, and its CA (PEM, public). */
export interface AuthorityAddress {
  readonly url: string
  readonly ca: string
}

/** CA of the front proxy (PEM, public), and the common names that it may have. An empty list allows any name. */
export interface FrontProxy {
  readonly clientCa: string
  readonly allowedNames: readonly string[]
}

/** The variable of a sidecar that is an ordinary container: its pod would not complete without it. */
export const ORDINARY = { name: 'EXIT_WITH_BROKER', value: 'true' } as const

/** The container (core/v1 `Container`). */
export function sidecarContainer(pod: Pod, plan: Plan, options: SidecarOptions): Json {
  const { settings, native, resources } = plan
  const { port = SIDECAR_PORT } = settings
  return {
    name: CONTAINER_NAME,
    image: options.image,
    ...(options.imagePullPolicy !== undefined && { imagePullPolicy: options.imagePullPolicy }),
    ...(native && { restartPolicy: 'Always' }),
    env: environment(plan, options),
    // With the node's network a declared port is one of the node's: the pod would only fit on nodes where it is free.
    ...(pod.spec.hostNetwork !== true && {
      ports: [{ name: PORT_NAME, containerPort: port, protocol: 'TCP' }],
    }),
    resources,
    securityContext: securityContext(pod, settings),
    // No readiness probe: the pod would not be ready without the sidecar, and a pod that is not ready has no DNS name, by
    // which the other brokers find the lead broker.
    // With the node's network another program may have the port: its answers would start the sidecar again and again, and a
    // pod with a container that is down is not ready either.
    ...(pod.spec.hostNetwork !== true && { livenessProbe: livenessProbe(port) }),
    volumeMounts: sidecarMounts(pod, plan),
  }
}

/**
 * It fails while the event loop is stuck, or when the collector has died, after minutes: never because Flux is slow or away.
 * Only this container is started again then.
 */
function livenessProbe(port: number): Json {
  return {
    httpGet: { path: '/livez', port, scheme: 'HTTPS' },
    initialDelaySeconds: 10,
    periodSeconds: 10,
    timeoutSeconds: 5,
    failureThreshold: 6,
  }
}

function environment(plan: Plan, { identity, frontProxy }: SidecarOptions): readonly Json[] {
  const { settings, minicluster, socket } = plan
  const { port = SIDECAR_PORT } = settings
  const variables: Record<string, string | undefined> = {
    FLUX_URI: `local://${socket.path}`,
    // Also the default: Kubernetes sets what is not set here to `tcp://…` where a Service has the name "listen".
    LISTEN_PORT: String(port),
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
    [ORDINARY.name]: plan.native ? undefined : ORDINARY.value,
    LOG_LEVEL: settings.logLevel,
  }
  return Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, value }],
  )
}
