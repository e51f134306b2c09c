// What the user of a MiniCluster is told when it is created or annotated, long before its pod is reviewed. Pure.
import { readAnnotations } from '../injection/annotations.ts'
import { hasNoSocket, type MiniCluster } from '../injection/minicluster.ts'
import type { EventText } from './events.ts'
import { adviseOnScheduler } from './scheduler-advice.ts'

export interface Advice {
  /** Shown by `kubectl apply` and `kubectl annotate`. */
  readonly warnings: readonly string[]
  readonly event: EventText | undefined
}

const NOTHING: Advice = { warnings: [], event: undefined }

/** @param before what it was before an update; `undefined` for a new one */
export function advise(minicluster: MiniCluster, before: MiniCluster | undefined): Advice {
  const now = read(minicluster)
  const then = before === undefined ? undefined : read(before)
  // Its operator and its HPA update a MiniCluster often; who changes nothing of ours hears nothing.
  if (then !== undefined && JSON.stringify(then) === JSON.stringify(now)) return NOTHING
  const isEnabled = now.settings.enabled === true
  const socketless = isEnabled && hasNoSocket(minicluster)
  const warnings = [
    ...now.warnings,
    ...(socketless ? ['flux-metrics/enabled: spec.flux.disableSocket is true, no metrics'] : []),
    ...(socketless ? [] : now.scheduler),
  ]
  const wasEnabled = then?.settings.enabled === true
  const switched = then !== undefined && wasEnabled !== isEnabled && !socketless
  return { warnings, event: switched ? pending(isEnabled) : undefined }
}

function read(minicluster: MiniCluster) {
  const { metadata, spec } = minicluster
  const annotations = readAnnotations(spec?.pod?.annotations, metadata.annotations)
  // Whoever asks for no metrics may schedule as they like.
  const isEnabled = annotations.settings.enabled === true
  return { ...annotations, scheduler: isEnabled ? adviseOnScheduler(minicluster) : [] }
}

/** Pods are never changed while they run. */
function pending(isEnabled: boolean): EventText {
  const what = isEnabled ? 'The metrics sidecar comes' : 'The metrics sidecar stays until'
  const how = isEnabled ? 'when the index-0 pod is made again' : 'the index-0 pod is made again'
  return {
    type: 'Normal',
    reason: 'MetricsPending',
    message: `${what} ${how}; deleting that pod does so, and ends the jobs of the MiniCluster`,
  }
}
