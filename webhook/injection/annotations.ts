// The annotations that users set (`flux-metrics/…`) on a MiniCluster or its pods, and the warnings about them. Pure.
// An annotation that cannot be used never stops an admission: a warning says so, and the default applies.
import { nearestNames } from '#serving/nearest.ts'
import { shorten } from '#serving/text.ts'
import { ANNOTATION_PREFIX, CLIENT_CA_ANNOTATION, INJECTED_ANNOTATION } from '../contract.ts'
import { isMore, parseQuantity } from './resources/quantity.ts'
import { isSocketPath, MAX_SOCKET_BYTES } from './socket.ts'

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
  /** How long a released node counts as busy. */
  readonly idleGraceSeconds?: number
  readonly logLevel?: string
  /** Kubernetes quantities. A request is never above its limit. */
  readonly cpuRequest?: string
  readonly cpuLimit?: string
  readonly memoryRequest?: string
  readonly memoryLimit?: string
}

/** Settings, and a warning for each annotation that is unknown or cannot be used. */
export interface AnnotationReading {
  readonly settings: Settings
  readonly warnings: readonly string[]
}

type Annotations = Readonly<Record<string, string>> | null | undefined

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
/** Characters of a key or a value that a warning quotes: Kubernetes asks for short warnings. */
const MAX_SHOWN = 32

interface Rule {
  /** The values that the annotation may have, in words. */
  readonly expected: string
  /** @returns the settings that the value means, or `undefined` for an invalid value */
  read(value: string): Settings | undefined
}

const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
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

/** `kubectl` shows no more (review.ts). An object has room for 100,000 unknown keys, each of which would be compared with all known. */
const MAX_WARNINGS = 10

/** Different warnings, and how many annotations got none because there are too many. */
class Warnings {
  readonly #texts = new Set<string>()
  #omitted = 0

  /** @param text made only if there is room for it */
  add(text: () => string): void {
    // The last place is for the number of the others.
    if (this.#texts.size < MAX_WARNINGS - 1) this.#texts.add(text())
    else this.#omitted += 1
  }

  get all(): readonly string[] {
    if (this.#omitted === 0) return [...this.#texts]
    return [...this.#texts, `${ANNOTATION_PREFIX}…: ${this.#omitted} more annotations are not used`]
  }
}

/** Reads the annotations of a pod and of its MiniCluster. For each key a valid value of the pod wins. */
export function readAnnotations(pod: Annotations, minicluster: Annotations): AnnotationReading {
  const warnings = new Warnings()
  const read = { ...readOne(minicluster, warnings), ...readOne(pod, warnings) }
  const { settings, warnings: aboveLimits } = withinLimits(read)
  const isGuest = settings.drain === true && settings.runAsUser === undefined
  return {
    settings: isGuest ? { ...settings, drain: false } : settings,
    warnings: [...warnings.all, ...aboveLimits, ...(isGuest ? [DRAIN_WITHOUT_UID] : [])],
  }
}

/** The API server refuses a pod with a request above its limit. */
function withinLimits(settings: Settings): AnnotationReading {
  const { cpuRequest, cpuLimit, memoryRequest, memoryLimit } = settings
  const warnings: string[] = []
  let fixed = settings
  if (cpuRequest !== undefined && cpuLimit !== undefined && isMore(cpuRequest, cpuLimit)) {
    warnings.push(requestAboveLimit('cpu', cpuRequest, cpuLimit))
    fixed = { ...fixed, cpuRequest: cpuLimit }
  }
  if (
    memoryRequest !== undefined &&
    memoryLimit !== undefined &&
    isMore(memoryRequest, memoryLimit)
  ) {
    warnings.push(requestAboveLimit('memory', memoryRequest, memoryLimit))
    fixed = { ...fixed, memoryRequest: memoryLimit }
  }
  return { settings: fixed, warnings }
}

function requestAboveLimit(resource: string, request: string, limit: string): string {
  const keys = `${ANNOTATION_PREFIX}${resource}`
  return `${keys}-request: ${request} is above ${keys}-limit: using ${limit}`
}

/** The answer to `flux-metrics/enabled` alone; `undefined` if it is not set, or neither true nor false. */
export function readEnabled(annotations: Annotations): boolean | undefined {
  const value = annotations?.[`${ANNOTATION_PREFIX}enabled`]
  return value === 'true' || value === 'false' ? value === 'true' : undefined
}

/** Only a sidecar with the broker's UID is an owner of the Flux instance; any other is a guest. */
export const DRAIN_IGNORED = `${ANNOTATION_PREFIX}drain: ignored because only the owner of the Flux instance can drain ranks`

/** The UID may be the image's own: then only the user knows it. */
const DRAIN_WITHOUT_UID = `${DRAIN_IGNORED}: set ${ANNOTATION_PREFIX}run-as-user to the UID of the broker`

/** Keys that the webhook itself writes. */
const OURS: readonly string[] = [INJECTED_ANNOTATION, CLIENT_CA_ANNOTATION]

/** The rules by whole keys: most keys of an object are looked up only here. */
const BY_KEY = new Map([...RULES].map(([name, rule]) => [`${ANNOTATION_PREFIX}${name}`, rule]))

function readOne(annotations: Annotations, warnings: Warnings): Settings {
  let settings: Settings = {}
  for (const key in annotations) {
    if (!key.startsWith(ANNOTATION_PREFIX) || OURS.includes(key)) continue
    const rule = BY_KEY.get(key)
    if (rule === undefined) {
      warnings.add(() => `${shown(key)}: unknown, ${hintFor(key.slice(ANNOTATION_PREFIX.length))}`)
      continue
    }
    const value = annotations[key] ?? ''
    const read = rule.read(value)
    if (read !== undefined) settings = { ...settings, ...read }
    else warnings.add(() => `${key}: expected ${rule.expected}, got "${shown(value)}"`)
  }
  return settings
}

/** Suggests known keys in place of an unknown one. */
function hintFor(name: string): string {
  const nearest = nearestNames(name, ANNOTATION_NAMES).map((near) => `${ANNOTATION_PREFIX}${near}`)
  if (nearest.length > 0) return `did you mean ${nearest.join(' or ')}?`
  return 'see the README for those that there are'
}

function shown(text: string): string {
  // One character more than is shown, so that the cut is marked.
  const start = text.slice(0, MAX_SHOWN + 1).replace(/[^\x20-\x7e]/g, '?')
  return shorten(start, { characters: MAX_SHOWN })
}
