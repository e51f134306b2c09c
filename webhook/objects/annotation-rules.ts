// The annotations that users may set, by the part of their keys after `flux-metrics/`: what each may be, and the setting that
// it means. Reads no object: annotations.ts does. Pure.
import { isMore, parseQuantity } from './quantity.ts'
import { isSocketPath, MAX_SOCKET_BYTES } from './socket-path.ts'

/** Whether the sidecar is native (an init container that always restarts). `auto`: if the API server supports it. */
export type NativeSidecar = 'auto' | 'true' | 'false'

/** The settings that users may choose. The defaults of absent fields depend on pod and MiniCluster. */
export interface Settings {
  readonly enabled?: boolean
  /** Absolute path of the broker's socket. */
  readonly socket?: string
  /** UID of the sidecar; 0 is root. */
  readonly runAsUser?: number
  /** Name of the Secret with the serving certificate. */
  readonly tlsSecret?: string
  /** Name of the ConfigMap with the metrics that users define. */
  readonly metricsConfig?: string
  readonly nativeSidecar?: NativeSidecar
  /** Port on which the sidecar serves HTTPS. */
  readonly port?: number
  /** Whether external.metrics.k8s.io is served as well. */
  readonly externalMetrics?: boolean
  /** Whether ranks are drained before a smaller size is published; never true without `runAsUser`. */
  readonly drain?: boolean
  /** Whether node autoscalers are told to leave the pods where they are. By default they are. */
  readonly protect?: boolean
  /** How long a released node counts as busy. */
  readonly idleGraceSeconds?: number
  readonly logLevel?: string
  /** Kubernetes quantities. A request is never above its limit. */
  readonly cpuRequest?: string
  readonly cpuLimit?: string
  readonly memoryRequest?: string
  readonly memoryLimit?: string
}

/** A Secret's or ConfigMap's name (RFC 1123 subdomain). */
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
/** The largest UID that Kubernetes accepts (core/v1 `SecurityContext`). */
const MAX_UID = 2 ** 31 - 1
/** Lower ports need a capability, or a container runtime that gives them to any user: the sidecar could not start. */
const MIN_PORT = 1024
const MAX_PORT = 2 ** 16 - 1
/** Flux's own port (`default_port` of the operator's configuration): the broker could not start. */
const FLUX_PORT = 8050
/** The sidecar's own limit of IDLE_GRACE_SECONDS: with more it would not start. */
const MAX_IDLE_GRACE_SECONDS = 3600
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

interface Rule {
  /** The values that the annotation may have, in words. */
  readonly expected: string
  /** @returns the settings that the value means, or `undefined` for an invalid value */
  read(value: string): Settings | undefined
}

export const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['enabled', booleanRule((enabled) => ({ enabled }))],
  [
    'socket',
    {
      expected: `an absolute path of at most ${MAX_SOCKET_BYTES} bytes`,
      read: (socket) => (isSocketPath(socket) ? { socket } : undefined),
    },
  ],
  ['run-as-user', integerRule('a UID', MAX_UID, (runAsUser) => ({ runAsUser }))],
  [
    'tls-secret',
    {
      expected: "a Secret's name",
      read: (tlsSecret) => (OBJECT_NAME.test(tlsSecret) ? { tlsSecret } : undefined),
    },
  ],
  [
    'metrics-config',
    {
      expected: "a ConfigMap's name",
      read: (metricsConfig) => (OBJECT_NAME.test(metricsConfig) ? { metricsConfig } : undefined),
    },
  ],
  [
    'native-sidecar',
    {
      expected: '"auto", "true" or "false"',
      read: (value) =>
        value === 'auto' || value === 'true' || value === 'false'
          ? { nativeSidecar: value }
          : undefined,
    },
  ],
  [
    'port',
    {
      expected: `a port from ${MIN_PORT} to ${MAX_PORT}, but not Flux's own ${FLUX_PORT}`,
      read: (value) => {
        const port = /^[1-9]\d{3,4}$/.test(value) ? Number(value) : 0
        return port >= MIN_PORT && port <= MAX_PORT && port !== FLUX_PORT ? { port } : undefined
      },
    },
  ],
  ['external-metrics', booleanRule((externalMetrics) => ({ externalMetrics }))],
  ['drain', booleanRule((drain) => ({ drain }))],
  ['protect', booleanRule((protect) => ({ protect }))],
  [
    'idle-grace-seconds',
    integerRule('whole seconds', MAX_IDLE_GRACE_SECONDS, (idleGraceSeconds) => ({
      idleGraceSeconds,
    })),
  ],
  [
    'log-level',
    {
      expected: `one of ${LOG_LEVELS.join(', ')}`,
      read: (logLevel) => (LOG_LEVELS.includes(logLevel) ? { logLevel } : undefined),
    },
  ],
  ['cpu-request', quantityRule(['1m', '4', '50m'], (cpuRequest) => ({ cpuRequest }))],
  ['cpu-limit', quantityRule(['50m', '64', '500m'], (cpuLimit) => ({ cpuLimit }))],
  [
    'memory-request',
    quantityRule(['32Mi', '64Gi', '96Mi'], (memoryRequest) => ({ memoryRequest })),
  ],
  // With less, the kernel would kill the sidecar again and again, and the lead broker's pod would end with it.
  ['memory-limit', quantityRule(['96Mi', '64Gi', '128Mi'], (memoryLimit) => ({ memoryLimit }))],
])

/** The names of all annotations, without their prefix. */
export const ANNOTATION_NAMES: readonly string[] = [...RULES.keys()]

function booleanRule(toSettings: (value: boolean) => Settings): Rule {
  return {
    expected: '"true" or "false"',
    read: (value) =>
      value === 'true' || value === 'false' ? toSettings(value === 'true') : undefined,
  }
}

/** @param unit the noun of the values, for warnings */
function integerRule(unit: string, max: number, toSettings: (value: number) => Settings): Rule {
  return {
    expected: `${unit} from 0 to ${max}`,
    read: (value) => {
      const isShort = value.length <= String(max).length
      return isShort && /^\d+$/.test(value) && Number(value) <= max
        ? toSettings(Number(value))
        : undefined
    },
  }
}

/** @param range the least and the most that is accepted, and an example */
function quantityRule(
  [least, most, example]: readonly [least: string, most: string, example: string],
  toSettings: (value: string) => Settings,
): Rule {
  return {
    expected: `a quantity from ${least} to ${most}, such as ${example}`,
    read: (value) => {
      const isKnown = parseQuantity(value) !== undefined
      return isKnown && !isMore(least, value) && !isMore(value, most)
        ? toSettings(value)
        : undefined
    },
  }
}
