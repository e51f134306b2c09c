// What is said about a lead broker that lacks its sidecar: why, and what to do. Pure.
import { shorten } from '#serving/text.ts'
import type { Decision } from '../admission/decision.ts'
import type { EventText } from '../events/event.ts'

/** What a MiniCluster is to be told. */
export interface Announcement {
  /** For programs: a word of a closed list. */
  readonly reason: string
  readonly event: EventText
}

/** Characters of a decision's sentence. The cure after it must not be cut off. */
const MAX_SENTENCE = 600

/** Of a pod. */
interface Place {
  readonly namespace: string
  readonly name: string
}

/**
 * @param decision about the pod as it is now
 * @returns `undefined` if the pod is to have no sidecar, or has one
 */
export function announceMissing(pod: Place, decision: Decision): Announcement | undefined {
  if (decision.kind === 'repair') return undefined
  if (decision.kind === 'inject')
    return { reason: 'CreatedBefore', event: missing(createdBefore(pod)) }
  const { reason, message, isReported } = decision
  if (!isReported) return undefined
  const why = shorten(message, { characters: MAX_SENTENCE })
  return {
    reason,
    event: missing(
      `Pod ${pod.name} has no metrics sidecar, and would get none now: ${reason}: ${why}. ` +
        `Then ${deletePod(pod)}`,
    ),
  }
}

/** Why a pod lacks the sidecar that it would get now. When the annotation was set is not known. */
export const CREATED_BEFORE =
  'it was created before flux-metrics/enabled was set, or while the webhook did not answer'

function createdBefore(pod: Place): string {
  return `Pod ${pod.name} has no metrics sidecar: ${CREATED_BEFORE}. To add it, ${deletePod(pod)}`
}

/** What adds the sidecar to a pod that runs, and its price. */
export function deletePod({ namespace, name }: Place): string {
  return `delete the pod, which ends the jobs of the MiniCluster: kubectl delete pod -n ${namespace} ${name}`
}

function missing(message: string): EventText {
  return { type: 'Warning', reason: 'MetricsMissing', message }
}
