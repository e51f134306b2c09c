// Decides whether a pod gets the sidecar, or its broken one is repaired, or why neither. Pure: look-ups.ts reads from the API
// server, and injection/patch.ts makes the patch of a plan.
import { SIDECAR_PORT } from '../contract.ts'
import { meshWarnings } from '../injection/mesh.ts'
import type { Plan } from '../injection/plan.ts'
import { type Repair, repairFor } from '../injection/repair.ts'
import { type Policies, sidecarResources } from '../injection/resources/sidecar-resources.ts'
import { uidObstacle } from '../injection/security.ts'
import { placeSocket } from '../injection/socket.ts'
import {
  type AnnotationReading,
  DRAIN_IGNORED,
  readAnnotations,
  readEnabled,
  whyNotEnabled,
} from '../objects/annotations.ts'
import { isJob, type MiniCluster, socketOf } from '../objects/minicluster.ts'
import {
  brokerUser,
  completionIndexOf,
  controllerOf,
  type Owner,
  type Pod,
} from '../objects/pod.ts'
import { findObstacle, type Prerequisites } from './obstacle.ts'
import { type Skip, skip } from './skip.ts'

/** A pod of index 0 that a Job controls. Whether a MiniCluster controls that Job must be looked up. */
export interface Candidate {
  readonly kind: 'candidate'
  readonly job: Owner
  /** Whether the pod itself wants metrics; absent: its MiniCluster decides. */
  readonly enabled?: boolean
}

/** The answers of the API server that a decision needs. */
export interface LookedUp {
  /** The MiniCluster that controls the Job that controls the pod; `undefined` if something else does. */
  readonly minicluster: MiniCluster | undefined
  /** Whether the API server supports native sidecars: since Kubernetes 1.29. */
  readonly nativeSidecars: boolean
  /** Of the namespace; none for a pod without metrics. */
  readonly policies: Policies
}

export type Decision = Skip | Plan | Repair

/** A decision, with a warning for each annotation that cannot be used. */
export type Decided = Pick<AnnotationReading, 'warnings'> & { readonly decision: Decision }

/** Decides from the pod alone, without a look-up. For nearly all pods of a cluster this is enough. */
export function preselect(pod: Pick<Pod, 'metadata'>): Skip | Candidate {
  const index = completionIndexOf(pod.metadata)
  if (index !== '0') {
    const which = index === undefined ? 'no completion index' : `index ${index}`
    return skip('NotIndexZero', `The pod has ${which}: only index 0 runs the lead broker`)
  }
  const job = controllerOf(pod.metadata)
  if (job === undefined || !isJob(job)) {
    return skip('NotAMiniCluster', 'The pod is not controlled by a Job')
  }
  const enabled = readEnabled(pod.metadata.annotations)
  return { kind: 'candidate', job, ...(enabled !== undefined && { enabled }) }
}

/** Decides about a {@link Candidate}. */
export function decide(
  pod: Pod,
  { minicluster, nativeSidecars, policies }: LookedUp,
  prerequisites: Prerequisites,
): Decided {
  if (minicluster === undefined) {
    const message = "The pod's Job is not controlled by a MiniCluster"
    return { decision: skip('NotAMiniCluster', message), warnings: [] }
  }
  const { namespace, name } = minicluster.metadata
  const broker = brokerUser(pod, name)
  const read = readAnnotations(pod.metadata.annotations, minicluster.metadata.annotations)
  const { settings, warnings } = withoutDrainByGuest(broker, withPossibleUid(pod, broker, read))
  if (settings.enabled !== true) {
    const either = [pod.metadata.annotations, minicluster.metadata.annotations]
    const why = whyNotEnabled(settings.enabled, either)
    const message = `Annotation flux-metrics/enabled ${why} on the pod or the MiniCluster`
    return { decision: skip('NotEnabled', message), warnings }
  }
  const obstacle = findObstacle(pod, minicluster, settings, prerequisites)
  if (obstacle !== undefined) {
    const repair = obstacle.reason === 'AlreadyInjected' ? repairFor(pod) : undefined
    return { decision: repair ?? obstacle, warnings }
  }
  const socket = placeSocket(pod, settings.socket ?? socketOf(minicluster), name)
  if (socket.kind === 'unreachable') {
    return { decision: skip('SocketNotShared', socket.reason), warnings }
  }
  const resources = sidecarResources(pod, settings, policies)
  if (resources.kind === 'misfit') {
    const cure = 'change that, or what the MiniCluster asks for'
    return { decision: skip('LimitsDoNotFit', `${resources.why}: ${cure}`), warnings }
  }
  const { requests, limits } = resources
  const unsupported = settings.nativeSidecar === 'true' && !nativeSidecars
  return {
    decision: {
      kind: 'inject',
      minicluster: { namespace: namespace ?? '', name },
      socket,
      native: nativeSidecars && settings.nativeSidecar !== 'false',
      resources: { requests, limits },
      settings,
    },
    warnings: [
      ...warnings,
      ...(unsupported ? [UNSUPPORTED] : []),
      ...meshWarnings(pod, settings.port ?? SIDECAR_PORT),
    ],
  }
}

/** With another UID than the pod may have it would be refused. The sidecar reads Flux as a guest too. */
function withPossibleUid(
  pod: Pod,
  broker: number | undefined,
  reading: AnnotationReading,
): AnnotationReading {
  const why = uidObstacle(pod, reading.settings, broker)
  if (why === undefined) return reading
  const { runAsUser, ...settings } = reading.settings
  const warning = `flux-metrics/run-as-user: ${runAsUser} ignored because ${why}`
  return {
    settings: settings.drain === true ? { ...settings, drain: false } : settings,
    warnings: [...reading.warnings, warning],
  }
}

/** Flux refuses drains by a guest. A sidecar is a guest if the pod runs the broker with another UID. */
function withoutDrainByGuest(
  owner: number | undefined,
  reading: AnnotationReading,
): AnnotationReading {
  const { settings, warnings } = reading
  const { drain, runAsUser } = settings
  if (drain !== true || owner === undefined || owner === runAsUser) return reading
  const warning =
    `${DRAIN_IGNORED}: set flux-metrics/run-as-user to ${owner}, ` +
    `the UID of the broker in this pod, not ${runAsUser}`
  return { settings: { ...settings, drain: false }, warnings: [...warnings, warning] }
}

/** Before 1.29 the kubelet waits for every init container to end: with a native sidecar the pod would never start. */
const UNSUPPORTED =
  'flux-metrics/native-sidecar: ignored because the API server is older than Kubernetes 1.29: ' +
  'the sidecar is an ordinary container'
