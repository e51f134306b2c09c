// Warnings and Events for the user who creates or annotates a MiniCluster, long before its pod is reviewed. Pure.
import type { EventText } from '../../events/event-recorder.ts'
import { readAnnotations } from '../../injection/annotations.ts'
import { hasNoSocket, isRunning, type MiniCluster } from '../../injection/minicluster.ts'
import { adviseOnSpec } from './spec-advice.ts'

export interface Advice {
  /** `kubectl apply` and `kubectl annotate` show them. */
  readonly warnings: readonly string[]
  readonly event: EventText | undefined
}

const NOTHING: Advice = { warnings: [], event: undefined }

/**
 * @param before the MiniCluster before an update; `undefined` for a new one
 * @param unreached why no HPA can read the metrics of this MiniCluster, if none can
 */
export function advise(
  minicluster: MiniCluster,
  before: MiniCluster | undefined,
  unreached: readonly string[] = [],
): Advice {
  const now = read(minicluster, unreached)
  const then = before === undefined ? undefined : read(before, unreached)
  // Operator and HPA update a MiniCluster often. An update that changes none of these settings gets no advice.
  if (then !== undefined && JSON.stringify(then) === JSON.stringify(now)) return NOTHING
  const isEnabled = now.settings.enabled === true
  const lacksSocket = isEnabled && hasNoSocket(minicluster)
  const warnings = [...now.warnings, ...(lacksSocket ? [NO_SOCKET] : now.spec)]
  const wasEnabled = then?.settings.enabled === true
  const isSwitched = then !== undefined && wasEnabled !== isEnabled
  // Without pods there is nothing to wait for: the first ones follow the new setting.
  if (!isSwitched || lacksSocket || !isRunning(minicluster)) return { warnings, event: undefined }
  const event = pending(isEnabled)
  return { warnings: [`flux-metrics/enabled: ${event.message}`, ...warnings], event }
}

const NO_SOCKET =
  'flux-metrics/enabled: no metrics without the socket of the broker: set spec.flux.disableSocket to false'

function read(minicluster: MiniCluster, unreached: readonly string[]) {
  const { metadata, spec } = minicluster
  const annotations = readAnnotations(spec?.pod?.annotations, metadata.annotations)
  // Without metrics nothing autoscales the MiniCluster: then any settings are fine.
  const isEnabled = annotations.settings.enabled === true
  if (!isEnabled) return { ...annotations, spec: [] }
  const { scheduler, bursting, size } = adviseOnSpec(minicluster)
  return { ...annotations, spec: [...scheduler, ...bursting, ...size, ...unreached] }
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
