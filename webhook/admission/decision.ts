// Whether a pod gets the sidecar, and if not, why not: pure functions of the pod and of what was looked up about it.
import { CONTAINER_NAME, INJECTED_ANNOTATION, SERVICE_LABEL, SIDECAR_PORT } from '../contract.ts'
import { type AnnotationReading, readAnnotations, type Settings } from '../injection/annotations.ts'

import { hasNoSocket, isJob, type MiniCluster, socketOf } from '../injection/minicluster.ts'
import type { Plan } from '../injection/plan.ts'
import {
  allContainers,
  brokerUser,
  COMPLETION_INDEX,
  controllerOf,
  hostsPort,
  type Owner,
  type Pod,
} from '../injection/pod.ts'
import { placeSocket } from '../injection/socket.ts'
import { VOLUMES } from '../injection/volumes.ts'

/** Why a pod is left as it is; for programs, in logs, events and metrics. No other words are used there. */
export const SKIP_REASONS = [
  'NotCreated',
  'NotAPod',
  'NotIndexZero',
  'NotAMiniCluster',
  'NotEnabled',
  'AlreadyInjected',
  'SocketDisabled',
  'SocketNotShared',
  'PortTaken',
  'HostNetworkPortTaken',
  'NameTaken',
  'NoAuthority',
  'LookUpFailed',
  'InternalError',
] as const

export type SkipReason = (typeof SKIP_REASONS)[number]

/** Those that somebody who asked for metrics wants to hear of. */
const TOLD: ReadonlySet<SkipReason> = new Set([
  'SocketDisabled',
  'SocketNotShared',
  'PortTaken',
  'HostNetworkPortTaken',
  'NameTaken',
  'NoAuthority',
  'LookUpFailed',
  'InternalError',
])

export interface Skip {
  readonly kind: 'skip'
  readonly reason: SkipReason
  /** One sentence for people. */
  readonly message: string
  /** Whether the user of the MiniCluster wants to know. */
  readonly told: boolean
}

/** A pod that may be one of ours: its index is 0 and a Job made it. What else is to be known must be looked up. */
export interface Candidate {
  readonly kind: 'candidate'
  readonly job: Owner
}

/** What was looked up. */
export interface Facts {
  /** The MiniCluster that controls the Job that controls the pod; `undefined` if something else does. */
  readonly minicluster: MiniCluster | undefined
  /** Whether the API server runs native sidecars: from 1.29 on. */
  readonly nativeSidecars: boolean
}

/** What a decision depends on besides the pod. */
export interface Means {
  /** Whether a sidecar can obtain a certificate from us. */
  readonly hasAuthority: boolean
  /** Whether we can tell a sidecar who the front proxy is. */
  readonly knowsFrontProxy: boolean
}

export type Decision = Skip | Plan

/** Sentences about annotations that are no good, beside a decision. */
export type Decided = Pick<AnnotationReading, 'warnings'> & { readonly decision: Decision }

export function skip(reason: SkipReason, message: string): Skip {
  return { kind: 'skip', reason, message, told: TOLD.has(reason) }
}

/** Decides what can be told from the pod alone, which is nearly always all there is to it. */
export function preselect(pod: Pod): Skip | Candidate {
  const { annotations, labels } = pod.metadata
  const index = annotations?.[COMPLETION_INDEX] ?? labels?.[COMPLETION_INDEX]
  if (index !== '0') {
    const what = index === undefined ? 'is of no Indexed Job' : `has index ${index}`
    return skip('NotIndexZero', `The pod ${what}: only index 0 holds the lead broker`)
  }
  const job = controllerOf(pod.metadata)
  if (job === undefined || !isJob(job)) {
    return skip('NotAMiniCluster', 'The pod is not controlled by a Job')
  }
  return { kind: 'candidate', job }
}

/** Decides about a {@link Candidate}. */
export function decide(pod: Pod, { minicluster, nativeSidecars }: Facts, means: Means): Decided {
  if (minicluster === undefined) {
    const message = "The pod's Job is not controlled by a MiniCluster"
    return { decision: skip('NotAMiniCluster', message), warnings: [] }
  }
  const { settings, warnings } = withoutStrangersDrain(
    pod,
    readAnnotations(pod.metadata.annotations, minicluster.metadata.annotations),
  )
  if (settings.enabled !== true) {
    const why = settings.enabled === false ? 'is "false"' : 'is not set'
    const message = `Annotation flux-metrics/enabled ${why}, on the pod or on the MiniCluster`
    return { decision: skip('NotEnabled', message), warnings }
  }
  const obstacle = findObstacle(pod, minicluster, settings, means)
  if (obstacle !== undefined) return { decision: obstacle, warnings }
  const socket = placeSocket(pod, settings.socket ?? socketOf(minicluster))
  if (socket.kind === 'unreachable') {
    return { decision: skip('SocketNotShared', socket.reason), warnings }
  }
  const { name } = minicluster.metadata
  const namespace = minicluster.metadata.namespace ?? ''
  const unsupported = settings.nativeSidecar === 'true' && !nativeSidecars
  return {
    decision: {
      kind: 'inject',
      minicluster: { namespace, name },
      socket,
      native: nativeSidecars && settings.nativeSidecar !== 'false',
      settings,
    },
    warnings: unsupported ? [...warnings, UNSUPPORTED] : warnings,
  }
}

/** Where the pod says who the broker's owner is, a sidecar of another UID is known to be refused. */
function withoutStrangersDrain(pod: Pod, reading: AnnotationReading): AnnotationReading {
  const { settings, warnings } = reading
  const owner = brokerUser(pod)
  const { drain, runAsUser } = settings
  if (drain !== true || owner === undefined || owner === runAsUser) return reading
  const warning =
    `flux-metrics/drain: ignored, Flux lets its owner alone drain: that is UID ${owner} in this pod, ` +
    `and flux-metrics/run-as-user is ${runAsUser}`
  return { settings: { ...settings, drain: false }, warnings: [...warnings, warning] }
}

/** An init container that never ends, to an API server that does not know better: the pod would never start. */
const UNSUPPORTED =
  'flux-metrics/native-sidecar: the API server is older than 1.29, an ordinary container is used'

function findObstacle(
  pod: Pod,
  minicluster: MiniCluster,
  settings: Settings,
  { hasAuthority, knowsFrontProxy }: Means,
): Skip | undefined {
  const named = allContainers(pod).find(({ name }) => name === CONTAINER_NAME)
  if (named !== undefined) return alreadyThere(pod)
  if (hasNoSocket(minicluster)) {
    const message = 'The broker has no socket: spec.flux.disableSocket of the MiniCluster is true'
    return skip('SocketDisabled', message)
  }
  const taken = pod.spec.volumes?.find(({ name }) => VOLUMES.includes(name))
  if (taken !== undefined) {
    return skip('NameTaken', `The pod has a volume "${taken.name}", which is our name for one`)
  }
  const { key, value } = SERVICE_LABEL
  const label = pod.metadata.labels?.[key]
  if (label !== undefined && label !== value) {
    return skip('NameTaken', `The pod has the label ${key}=${label}, and we need ${key}=${value}`)
  }
  const other = allContainers(pod).find((container) => hostsPort(container, SIDECAR_PORT))
  if (other !== undefined) {
    const message = `Port ${SIDECAR_PORT} of the pod is taken by its container "${other.name}"`
    if (pod.spec.hostNetwork !== true) return skip('PortTaken', message)
    return skip('HostNetworkPortTaken', `${message}, on the network of its node`)
  }
  if (!hasAuthority && settings.tlsSecret === undefined) {
    const message =
      'The webhook issues no certificates (CERTIFICATES=files): name a Secret with one in flux-metrics/tls-secret'
    return skip('NoAuthority', message)
  }
  // Those that have their certificate from us learn of it later.
  if (!knowsFrontProxy && settings.tlsSecret !== undefined) {
    const message =
      "The front proxy's authority (ConfigMap kube-system/extension-apiserver-authentication) is not known"
    return skip('NoAuthority', message)
  }
  return undefined
}

function alreadyThere({ metadata }: Pod): Skip {
  if (metadata.annotations?.[INJECTED_ANNOTATION] !== undefined) {
    return skip('AlreadyInjected', 'The pod has the sidecar already')
  }
  return skip('NameTaken', `The pod has a container "${CONTAINER_NAME}" that is not ours`)
}
