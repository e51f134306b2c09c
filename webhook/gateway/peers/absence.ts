// Why a MiniCluster has no pod with a sidecar, in one sentence. Pure: absences.ts reads the objects.
import { notFound, type StatusError, unavailable } from '#serving/status.ts'
import { printable } from '#serving/text.ts'
import { decide } from '../../admission/decision.ts'
import { INJECTED_ANNOTATION } from '../../contract.ts'
import { readEnabled } from '../../objects/annotations.ts'
import { hasFinished, type MiniCluster } from '../../objects/minicluster.ts'
import { hasEnded, isGoing, type Pod } from '../../objects/pod.ts'
import type { MiniClusterName } from './peer.ts'

/**
 * What the gateway does not know is taken for good: the quotas of the namespace, and the state of the webhook. The webhook's
 * Event says what it is.
 */
const UNKNOWN_IS_GOOD = {
  policies: { limitRanges: [], quotas: [] },
  nativeSidecars: true,
} as const

const PREREQUISITES = { hasAuthority: true, knowsFrontProxy: true } as const

/** A sentence about a MiniCluster that does not exist. */
export function notThere({ namespace, minicluster }: MiniClusterName): StatusError {
  return notFound(`MiniCluster ${namespace}/${minicluster} is not there`)
}

/**
 * @param minicluster `undefined` if it does not exist
 * @param pods those that say to be its lead broker
 */
export function absenceOf(
  name: MiniClusterName,
  minicluster: MiniCluster | undefined,
  pods: readonly Pod[],
): StatusError {
  if (minicluster === undefined) return notThere(name)
  const what = `MiniCluster ${name.namespace}/${name.minicluster}`
  const pod = pods.find((one) => !isGoing(one) && !hasEnded(one))
  if (pod !== undefined) return withoutSidecar(what, minicluster, pod)
  if (readEnabled(minicluster.metadata.annotations) !== true) {
    return notFound(`${what} has no metrics: ${cureOf(name)}`)
  }
  if (isGoing(minicluster)) return unavailable(`${what} is being deleted`)
  if (hasFinished(minicluster))
    return unavailable(`${what} has no lead broker any more: its Job has ended`)
  return unavailable(`${what} has no pod of its lead broker yet`)
}

function withoutSidecar(what: string, minicluster: MiniCluster, pod: Pod): StatusError {
  const { name, annotations } = pod.metadata
  const where = `${what}: no sidecar: pod ${name}`
  if ((annotations?.[INJECTED_ANNOTATION] ?? undefined) !== undefined) {
    return unavailable(`${what}: pod ${name} with its sidecar has not been seen by the gateway yet`)
  }
  const { decision } = decide(pod, { minicluster, ...UNKNOWN_IS_GOOD }, PREREQUISITES)
  if (decision.kind === 'skip') {
    // It quotes what the user wrote into the pod and the MiniCluster.
    const message = printable(decision.message)
    return notFound(`${where} is not injected (${decision.reason}): ${message}`)
  }
  const why = 'it was created before flux-metrics/enabled was set, or the webhook left it out'
  const more = `an Event of the MiniCluster says why: kubectl describe minicluster -n ${minicluster.metadata.namespace}`
  return notFound(`${where} is not injected: ${why}; ${more} ${minicluster.metadata.name}`)
}

function cureOf({ namespace, minicluster }: MiniClusterName): string {
  return (
    'annotation flux-metrics/enabled is not "true". To enable them before its pods are created: ' +
    `kubectl annotate minicluster -n ${namespace} ${minicluster} flux-metrics/enabled=true`
  )
}
