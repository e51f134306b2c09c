// The annotations that users set (`flux-metrics/…`), on a MiniCluster or its pods: read, checked, explained.
// An annotation that is no good never stops anything: its default is used, and a warning says so.

import { nearestNames } from '#serving/nearest.ts'
import { quote, shorten } from '#serving/text.ts'
import { ANNOTATION_PREFIX, CLIENT_CA_ANNOTATION, INJECTED_ANNOTATION } from '../contract.ts'
import { parseQuantity } from './container-quantity.ts'
import { isSocketPath, MAX_SOCKET_BYTES } from './socket.ts'

/** Whether the sidecar is a native one (an init container that restarts), or what the API server's version says. */
export type NativeSidecar = 'auto' | 'true' | 'false'

/** What users may choose. Absent fields have defaults that depend on pod and MiniCluster. */
export interface Settings {
  readonly enabled?: boolean
  /** Absolute path of the broker's socket. */
  readonly socket?: string
  /** UID of the sidecar; 0 is root. */
  readonly runAsUser?: number
  /** Secret with the serving certificate. */
  readonly tlsSecret?: string
  /** ConfigMap with the metrics that users define. */
  readonly metricsConfig?: string
  readonly nativeSidecar?: NativeSidecar
  /** Whether external.metrics.k8s.io is served as well. */
  readonly externalMetrics?: boolean
  /** Whether ranks are drained before a smaller size is published; never true without `runAsUser`. */
  readonly drain?: boolean
  /** How long a released node counts as busy. */
  readonly idleGraceSeconds?: number
  readonly logLevel?: string
  /** Kubernetes quantity. */
  readonly cpuRequest?: string
  /** Kubernetes quantity. */
  readonly memoryLimit?: string
}

/** Settings, and a sentence for each annotation that is unknown or no good. */
export interface AnnotationReading {
  readonly settings: Settings
  readonly warnings: readonly string[]
}

type Annotations = Readonly<Record<string, string>> | null | undefined

/** A Secret's or ConfigMap's name (RFC 1123 subdomain). */
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/
/** Below this the sidecar would be killed by its own limit, again and again, and the lead broker's pod with it. */
const MIN_MEMORY_BYTES = 96 * 2 ** 20
/** The largest UID that Kubernetes accepts. */
const MAX_UID = 2 ** 31 - 1
/** The sidecar's own limit: it would not start with more. */
const MAX_IDLE_GRACE_SECONDS = 3600
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
/** Kubernetes asks for short warnings. */
const MAX_SHOWN = 32

interface Rule {
  /** What the value should be, in words. */
  readonly expected: string
  /** @returns the settings that the value means, or `undefined` if it is no good */
  read(value: string): Settings | undefined
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
])

const RULES: ReadonlyMap<string, Rule> = new Map([
  [
    'enabled',
    {
      expected: '"true" or "false"',
      read: (value) => {
        const enabled = BOOLEANS.get(value)
        return enabled === undefined ? undefined : { enabled }
      },
    },
  ],
  [
    'socket',
    {
      expected: `an absolute path of at most ${MAX_SOCKET_BYTES} bytes`,
      read: (socket) => (isSocketPath(socket) ? { socket } : undefined),
    },
  ],
  [
    'run-as-user',
    {
      expected: `a UID from 0 to ${MAX_UID}`,
      read: (value) => {
        const runAsUser = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN
        return runAsUser <= MAX_UID ? { runAsUser } : undefined
      },
    },
  ],
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
    'external-metrics',
    {
      expected: '"true" or "false"',
      read: (value) => {
        const externalMetrics = BOOLEANS.get(value)
        return externalMetrics === undefined ? undefined : { externalMetrics }
      },
    },
  ],
  [
    'drain',
    {
      expected: '"true" or "false"',
      read: (value) => {
        const drain = BOOLEANS.get(value)
        return drain === undefined ? undefined : { drain }
      },
    },
  ],
  [
    'idle-grace-seconds',
    {
      expected: `whole seconds from 0 to ${MAX_IDLE_GRACE_SECONDS}`,
      read: (value) => {
        const idleGraceSeconds = /^\d{1,4}$/.test(value) ? Number(value) : Number.NaN
        return idleGraceSeconds <= MAX_IDLE_GRACE_SECONDS ? { idleGraceSeconds } : undefined
      },
    },
  ],
  [
    'log-level',
    {
      expected: `one of ${LOG_LEVELS.join(', ')}`,
      read: (logLevel) => (LOG_LEVELS.includes(logLevel) ? { logLevel } : undefined),
    },
  ],
  [
    'cpu-request',
    {
      expected: 'a quantity from 1m to 4, such as 50m',
      read: (cpuRequest) => {
        const cores = parseQuantity(cpuRequest)
        return cores !== undefined && cores >= 0.001 && cores <= 4 ? { cpuRequest } : undefined
      },
    },
  ],
  [
    'memory-limit',
    {
      expected: 'a quantity of at least 96Mi, such as 128Mi',
      read: (memoryLimit) => {
        const bytes = parseQuantity(memoryLimit)
        return bytes !== undefined && bytes >= MIN_MEMORY_BYTES ? { memoryLimit } : undefined
      },
    },
  ],
])

/** Reads the annotations of both; the pod's win, key by key, if they are good. */
export function readAnnotations(pod: Annotations, minicluster: Annotations): AnnotationReading {
  const warnings: string[] = []
  const settings = { ...readOne(minicluster, warnings), ...readOne(pod, warnings) }
  if (settings.drain === true && settings.runAsUser === undefined) {
    return { settings: { ...settings, drain: false }, warnings: [...new Set(warnings), GUEST] }
  }
  return { settings, warnings: [...new Set(warnings)] }
}

/** A sidecar is a guest of the broker unless it has the broker's UID, and nobody but the user knows that. */
const GUEST = `${ANNOTATION_PREFIX}drain: ignored, Flux lets its owner alone drain: set ${ANNOTATION_PREFIX}run-as-user to the UID of the broker`

function readOne(annotations: Annotations, warnings: string[]): Settings {
  let settings: Settings = {}
  for (const [key, value] of Object.entries(annotations ?? {})) {
    if (
      !key.startsWith(ANNOTATION_PREFIX) ||
      key === INJECTED_ANNOTATION ||
      key === CLIENT_CA_ANNOTATION
    )
      continue
    const name = key.slice(ANNOTATION_PREFIX.length)
    const rule = RULES.get(name)
    const read = rule?.read(value)
    if (read !== undefined) settings = { ...settings, ...read }
    else if (rule !== undefined) {
      warnings.push(
        `${key}: expected ${rule.expected}, got ${quote(printable(value), { characters: MAX_SHOWN })}`,
      )
    } else
      warnings.push(
        `${shorten(printable(key), { characters: MAX_SHOWN })}: unknown, ${hintFor(name)}`,
      )
  }
  return settings
}

/** What somebody may have meant who wrote a key that is unknown. */
function hintFor(name: string): string {
  const known = [...RULES.keys()]
  const nearest = nearestNames(name, known).map((near) => `${ANNOTATION_PREFIX}${near}`)
  if (nearest.length > 0) return `did you mean ${nearest.join(' or ')}?`
  return `known are ${known.join(' ')}`
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}
