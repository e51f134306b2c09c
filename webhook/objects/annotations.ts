// The annotations that users set (`flux-metrics/…`) on a MiniCluster or its pods, and the warnings about them. Pure.
// An annotation that cannot be used never stops an admission: a warning says so, and the default applies.
import { nearestNames } from '#serving/nearest.ts'
import { shorten } from '#serving/text.ts'
import {
  ANNOTATION_PREFIX,
  CLIENT_CA_ANNOTATION,
  INJECTED_ANNOTATION,
  MAX_WARNINGS,
} from '../contract.ts'
import { ANNOTATION_NAMES, RULES, type Settings } from './annotation-rules.ts'
import { isMore } from './quantity.ts'

/** Settings, and a warning for each annotation that is unknown or cannot be used. */
export interface AnnotationReading {
  readonly settings: Settings
  readonly warnings: readonly string[]
}

type Annotations = Readonly<Record<string, string>> | null | undefined

/** Characters of a key or a value that a warning quotes: Kubernetes asks for short warnings. */
const MAX_SHOWN = 32

/**
 * Different warnings, and how many annotations got none because there are too many. An object has room for 100,000 unknown keys,
 * each of which would be compared with all known.
 */
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
  return readBoolean(annotations, 'enabled')
}

/** Why there are no metrics: `flux-metrics/enabled` of either is "false", not set, or neither true nor false. */
export function whyNotEnabled(
  enabled: boolean | undefined,
  either: readonly Annotations[],
): string {
  if (enabled === false) return 'is "false"'
  const key = `${ANNOTATION_PREFIX}enabled`
  const isSet = either.some((annotations) => annotations?.[key] !== undefined)
  return isSet ? 'is neither "true" nor "false"' : 'is not set'
}

/** The answer to `flux-metrics/protect` alone; `undefined` if it is not set, or neither true nor false. */
export function readProtect(annotations: Annotations): boolean | undefined {
  return readBoolean(annotations, 'protect')
}

function readBoolean(annotations: Annotations, name: string): boolean | undefined {
  const value = annotations?.[`${ANNOTATION_PREFIX}${name}`]
  return value === 'true' || value === 'false' ? value === 'true' : undefined
}

/** Only a sidecar with the broker's UID is an owner of the Flux instance; any other is a guest. */
export const DRAIN_IGNORED = `${ANNOTATION_PREFIX}drain: ignored because only the owner of the Flux instance can drain ranks`

/** The UID may be the image's own: then only the user knows it. */
const DRAIN_WITHOUT_UID = `${DRAIN_IGNORED}: set ${ANNOTATION_PREFIX}run-as-user to the UID of the broker`

/** Keys that the webhook itself writes. */
const OURS: readonly string[] = [INJECTED_ANNOTATION, CLIENT_CA_ANNOTATION]

/**
 * Warnings for a MiniCluster. Of its pods, those without a sidecar would count as pods with one: nobody would be told that it is
 * missing.
 */
export function warnOfOurs(...all: readonly Annotations[]): readonly string[] {
  const set = OURS.filter((key) => all.some((annotations) => annotations?.[key] !== undefined))
  return set.map((key) => `${key}: only the webhook writes it, and on pods alone: remove it`)
}

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
  return 'see docs/reference/ANNOTATIONS.md for those that there are'
}

function shown(text: string): string {
  // One character more than is shown, so that the cut is marked.
  const start = text.slice(0, MAX_SHOWN + 1).replace(/[^\x20-\x7e]/g, '?')
  return shorten(start, { characters: MAX_SHOWN })
}
