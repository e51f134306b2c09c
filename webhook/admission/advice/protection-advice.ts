// What is said about pods that node autoscalers may evict, with the cures and their price. Pure.
import { MAX_WARNING_LENGTH, PROTECTION } from '../../contract.ts'
import type { EventText } from '../../events/event.ts'
import type { Plan } from '../../injection/plan.ts'
import { isProtected, missingProtection } from '../../injection/protection.ts'
import type { MiniCluster } from '../../objects/minicluster.ts'
import type { Pod } from '../../objects/pod.ts'

const BOTH = Object.entries(PROTECTION).map(([key, value]) => `${key}=${value}`)
const ANNOTATIONS = BOTH.join(' ')

/** Of a MiniCluster. */
type Place = Pick<MiniCluster['metadata'], 'name' | 'namespace'>

/** Protects the pods that run now. */
export function annotatePods({ name, namespace }: Place): string {
  const scope = namespace ? `-n ${namespace} ` : ''
  return `kubectl annotate pods ${scope}-l job-name=${name} ${ANNOTATIONS}`
}

/** For `kubectl apply`, which shows short warnings only. A command that is cut would do something else. */
export function unprotectedWarnings(place: Place): readonly string[] {
  const often = `flux-metrics/protect: or now and after each growth: ${annotatePods(place)}`
  return [
    'flux-metrics/protect: node autoscalers may evict pods that run already, which ends their jobs. To create the MiniCluster ' +
      'again cures it, and ends its jobs',
    often.length <= MAX_WARNING_LENGTH ? often : OFTEN_IN_EVENT,
  ]
}

const OFTEN_IN_EVENT =
  'flux-metrics/protect: or now and after each growth, with the command in the Event MetricsUnprotected of the MiniCluster ' +
  '(kubectl describe minicluster)'

/** @param which of the pods can be evicted */
export function unprotectedEvent(place: Place, which: string): EventText {
  return {
    type: 'Warning',
    reason: 'MetricsUnprotected',
    message:
      `Node autoscalers may evict ${which}, which ends their jobs: they lack ${BOTH.join(' and ')}. ` +
      `For the pods that run now: ${annotatePods(place)}. Pods that are created later lack them again. For good: create the ` +
      'MiniCluster again, which ends its jobs. Where nothing scales nodes: flux-metrics/protect=false',
  }
}

const PROTECTED_EVENT: EventText = {
  type: 'Normal',
  reason: 'MetricsProtected',
  message: `Node autoscalers leave the pods where they are: ${BOTH.join(' and ')}`,
}

/**
 * What is said when a lead broker's pod gets its sidecar. The pod is protected then; whether the others are is seen by what it
 * has of the operator.
 *
 * @param annotations of the pod before its patch
 */
export function protectionEvents(
  annotations: Pod['metadata']['annotations'],
  { minicluster, settings }: Plan,
): readonly EventText[] {
  if (isProtected(annotations)) return [PROTECTED_EVENT]
  const isExposed = Object.keys(missingProtection(annotations, settings)).length > 0
  return isExposed ? [unprotectedEvent(minicluster, 'the pods but that of index 0')] : []
}
