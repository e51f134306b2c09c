// One review of a MiniCluster: advice for its user, and for a new one the annotations that protect its pods. Pure.
import { applyTo } from '../injection/json-patch.ts'
import { protectPods } from '../injection/protection.ts'
import { readAnnotations } from '../objects/annotations.ts'
import { type MiniCluster, toMiniCluster, toNewMiniCluster } from '../objects/minicluster.ts'
import { advise } from './advice/minicluster-advice.ts'
import { advised, type Outcome } from './outcome.ts'
import type { Review } from './review.ts'

/** @param adviseOnReach why no HPA can read the metrics of a MiniCluster */
export function judgeMiniCluster(
  { operation, subResource, namespace, object, oldObject }: Review,
  adviseOnReach: (place: {
    readonly namespace: string
    readonly name: string
  }) => readonly string[],
): Outcome {
  const isNew = operation === 'CREATE' && subResource === undefined
  const sent = isNew ? toNewMiniCluster(object) : toMiniCluster(object)
  if (sent === undefined) return advised('?', [])
  // The namespace of the review, whatever the object says.
  const minicluster = { ...sent, metadata: { ...sent.metadata, namespace } }
  const { apiVersion, metadata } = minicluster
  const { name, uid } = metadata
  const advice = advise(minicluster, toMiniCluster(oldObject), adviseOnReach({ namespace, name }))
  const outcome = advised(name, advice.warnings)
  if (isNew) return withProtection(outcome, object, minicluster)
  // Until it is stored there is no MiniCluster for an Event to be about.
  if (operation !== 'UPDATE' || !uid) return outcome
  const note = { kind: 'minicluster', namespace, reference: { apiVersion, name, uid } } as const
  return { ...outcome, later: advice.events.map((event) => ({ ...note, event })) }
}

/** A stored MiniCluster is never changed: the operator has made its Job, or does so at any moment. */
function withProtection(
  outcome: Outcome,
  object: unknown,
  { metadata, spec }: MiniCluster,
): Outcome {
  const { settings } = readAnnotations(spec?.pod?.annotations, metadata.annotations)
  const patch = protectPods(object, settings)
  if (patch.length === 0) return outcome
  applyTo(Object(object), patch)
  const why = 'Protected its pods from node autoscalers'
  return { ...outcome, decision: 'protect', reason: 'Protected', why, patch }
}
