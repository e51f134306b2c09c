// Warnings and Events for the user who creates or annotates a MiniCluster, long before its pod is reviewed. Pure.
import type { EventText } from '../../events/event.ts'
import { missingProtection, wantsProtection } from '../../injection/protection.ts'
import { readAnnotations, warnOfOurs } from '../../objects/annotations.ts'
import { hasNoSocket, isRunning, type MiniCluster } from '../../objects/minicluster.ts'
import { unprotectedEvent, unprotectedWarnings } from './protection-advice.ts'
import { adviseOnShrinking } from './size-advice.ts'
import { adviseOnSpec, sentencesOf } from './spec-advice.ts'

export interface Advice {
  /** `kubectl apply` and `kubectl annotate` show them. */
  readonly warnings: readonly string[]
  readonly events: readonly EventText[]
}

const NOTHING: Advice = { warnings: [], events: [] }

/**
 * @param before the MiniCluster before an update; `undefined` for a new one
 * @param unreached why no HPA can read the metrics of this MiniCluster, if none can
 */
export function advise(
  minicluster: MiniCluster,
  before: MiniCluster | undefined,
  unreached: readonly string[] = [],
): Advice {
  const { warnings, events } = adviseOnSettings(minicluster, before, unreached)
  const shrinking = before === undefined ? [] : shrinkingOf(minicluster, before)
  return {
    warnings: [...shrinking.map(({ message }) => message), ...warnings],
    events: [...shrinking, ...events],
  }
}

/** A size that somebody sets, where jobs run and the metrics would keep them. */
function shrinkingOf(minicluster: MiniCluster, before: MiniCluster): readonly EventText[] {
  const { metadata, spec } = minicluster
  const { settings } = readAnnotations(spec?.pod?.annotations, metadata.annotations)
  if (settings.enabled !== true || !isRunning(minicluster)) return []
  return adviseOnShrinking(minicluster, before).map((message) => {
    return { type: 'Warning', reason: 'MetricsSize', message }
  })
}

function adviseOnSettings(
  minicluster: MiniCluster,
  before: MiniCluster | undefined,
  unreached: readonly string[],
): Advice {
  const now = read(minicluster, unreached)
  const then = before === undefined ? undefined : read(before, unreached)
  // Operator and HPA update a MiniCluster often. An update that changes none of these settings gets no advice.
  if (then !== undefined && JSON.stringify(then) === JSON.stringify(now)) return NOTHING
  const isEnabled = now.settings.enabled === true
  const lacksSocket = isEnabled && hasNoSocket(minicluster)
  const warnings = [...now.warnings, ...(lacksSocket ? [NO_SOCKET] : now.spec)]
  // Without pods there is nothing to wait for: the first ones follow the new settings.
  if (then === undefined || !isRunning(minicluster)) return { warnings, events: [] }
  const wasEnabled = then.settings.enabled === true
  const switched = wasEnabled === isEnabled || lacksSocket ? [] : [pending(isEnabled)]
  const isExposed = staysExposed(then, now)
  const exposed = isExposed ? [unprotectedEvent(minicluster.metadata, 'the pods')] : []
  return {
    warnings: [
      ...switched.map(({ message }) => `flux-metrics/enabled: ${message}`),
      ...(isExposed ? unprotectedWarnings(minicluster.metadata) : []),
      ...warnings,
    ],
    events: [...switched, ...exposed],
  }
}

const NO_SOCKET =
  'flux-metrics/enabled: no metrics without the socket of the broker: set spec.flux.disableSocket to false'

function read(minicluster: MiniCluster, unreached: readonly string[]) {
  const { metadata, spec } = minicluster
  const both = [spec?.pod?.annotations, metadata.annotations] as const
  const { settings, warnings } = readAnnotations(...both)
  const annotations = { settings, warnings: [...warnings, ...warnOfOurs(...both)] }
  // Without metrics nothing autoscales the MiniCluster: then any settings are fine.
  const isEnabled = settings.enabled === true
  const isUnprotected =
    Object.keys(missingProtection(spec?.pod?.annotations, { enabled: true })).length > 0
  if (!isEnabled) return { ...annotations, isUnprotected, spec: [] }
  return {
    ...annotations,
    isUnprotected,
    spec: [...sentencesOf(adviseOnSpec(minicluster)), ...unreached],
  }
}

/** The operator makes the Job of a MiniCluster once: neither our annotations nor the user's reach its pods later. */
function staysExposed(then: ReturnType<typeof read>, now: ReturnType<typeof read>): boolean {
  if (!wantsProtection(now.settings) || !then.isUnprotected) return false
  return !now.isUnprotected || !wantsProtection(then.settings)
}

/** A running pod is never changed: the sidecar is added to its successor, or left out of it. */
function pending(isEnabled: boolean): EventText {
  const what = isEnabled ? 'starts when' : 'stays until'
  return {
    type: 'Normal',
    reason: 'MetricsPending',
    message:
      `The metrics sidecar ${what} the index-0 pod is created again: delete that pod to do so now, ` +
      'which ends the jobs of the MiniCluster',
  }
}
