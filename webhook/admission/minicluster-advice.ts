// Warnings and Events for the user who creates or annotates a MiniCluster, long before its pod is reviewed. Pure.

import type { EventText } from '../events/event-recorder.ts'
import { readAnnotations } from '../injection/annotations.ts'
import { hasNoSocket, type MiniCluster } from '../injection/minicluster.ts'
import { adviseOnSpec } from './spec-advice.ts'

export interface Advice {
  /** `kubectl apply` and `kubectl annotate` show them. */
  readonly warnings: readonly string[]
  readonly event: EventText | undefined
}

const NOTHING: Advice = { warnings: [], event: undefined }

/** @param before the MiniCluster before an update; `undefined` for a new one */
export function advise(minicluster: MiniCluster, before: MiniCluster | undefined): Advice {
  const now = read(minicluster)
  const then = before === undefined ? undefined : read(before)
  // Operator and HPA update a MiniCluster often. An update that changes none of these settings gets no advice.
  if (then !== undefined && JSON.stringify(then) === JSON.stringify(now)) return NOTHING
  const isEnabled = now.settings.enabled === true
  const lacksSocket = isEnabled && hasNoSocket(minicluster)
  const warnings = [...now.warnings, ...(lacksSocket ? [NO_SOCKET] : now.spec)]
  const wasEnabled = then?.settings.enabled === true
  const switched = then !== undefined && wasEnabled !== isEnabled && !lacksSocket
  return { warnings, event: switched ? pending(isEnabled) : undefined }
}

const NO_SOCKET =
  'flux-metrics/enabled: no metrics without the socket of the broker: set spec.flux.disableSocket to false'

function read(minicluster: MiniCluster) {
  const { metadata, spec } = minicluster
  const annotations = readAnnotations(spec?.pod?.annotations, metadata.annotations)
  // Without metrics nothing autoscales the MiniCluster: then any settings are fine.
  const isEnabled = annotations.settings.enabled === true
  const advice = isEnabled ? adviseOnSpec(minicluster) : { scheduler: [], bursting: [] }
  return { ...annotations, spec: [...advice.scheduler, ...advice.bursting] }
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
