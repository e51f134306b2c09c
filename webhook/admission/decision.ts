// Decides whether a pod gets the sidecar, and if not, why. Pure: look-ups.ts reads from the API server, and
// injection/patch.ts makes the patch.
import { CONTAINER_NAME, INJECTED_ANNOTATION, SERVICE_LABEL, SIDECAR_PORT } from '../contract.ts'
import {
  type AnnotationReading,
  DRAIN_IGNORED,
  readAnnotations,
  readEnabled,
  type Settings,
} from '../injection/annotations.ts'
import { meshWarnings } from '../injection/mesh.ts'
import { hasNoSocket, isJob, type MiniCluster, socketOf } from '../injection/minicluster.ts'
import type { Plan } from '../injection/plan.ts'
import {
  allContainers,
  brokerUser,
  COMPLETION_INDEX,
  controllerOf,
  hostsPort,
  isWindows,
  type Owner,
  type Pod,
} from '../injection/pod.ts'
import { type Policies, sidecarResources } from '../injection/resources/sidecar-resources.ts'
import { uidObstacle } from '../injection/security.ts'
import { placeSocket } from '../injection/socket.ts'
import { VOLUMES } from '../injection/volumes.ts'

/** Why a pod is left as it is. A closed list for programs: logs, Events and metrics use no other words. */
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
  'NotLinux',
  'LimitsDoNotFit',
  'NoAuthority',
  'LookUpFailed',
  'InternalError',
] as const

export type SkipReason = (typeof SKIP_REASONS)[number]

/** Reasons that are reported to the user: metrics were asked for, and the pod gets no sidecar. */
const REPORTED: ReadonlySet<SkipReason> = new Set([
  'SocketDisabled',
  'SocketNotShared',
  'PortTaken',
  'HostNetworkPortTaken',
  'NameTaken',
  'NotLinux',
  'LimitsDoNotFit',
  'NoAuthority',
  'LookUpFailed',
  'InternalError',
])

export interface Skip {
  readonly kind: 'skip'
  readonly reason: SkipReason
  /** One sentence for people. */
  readonly message: string
  /** Whether the user sees it: as a warning and as an Event of the MiniCluster. */
  readonly isReported: boolean
}

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

/** The state of the webhook that an injection depends on. */
export interface Prerequisites {
  /** Whether the webhook can issue a certificate to a sidecar now. */
  readonly hasAuthority: boolean
  /** Whether the webhook knows the CA of the front proxy. */
  readonly knowsFrontProxy: boolean
}

export type Decision = Skip | Plan

/** A decision, with a warning for each annotation that cannot be used. */
export type Decided = Pick<AnnotationReading, 'warnings'> & { readonly decision: Decision }

export function skip(reason: SkipReason, message: string): Skip {
  return { kind: 'skip', reason, message, isReported: REPORTED.has(reason) }
}

/** Decides from the pod alone, without a look-up. For nearly all pods of a cluster this is enough. */
export function preselect(pod: Pick<Pod, 'metadata'>): Skip | Candidate {
  const { annotations, labels } = pod.metadata
  const index = annotations?.[COMPLETION_INDEX] ?? labels?.[COMPLETION_INDEX]
  if (index !== '0') {
    const which = index === undefined ? 'no completion index' : `index ${index}`
    return skip('NotIndexZero', `The pod has ${which}: only index 0 runs the lead broker`)
  }
  const job = controllerOf(pod.metadata)
  if (job === undefined || !isJob(job)) {
    return skip('NotAMiniCluster', 'The pod is not controlled by a Job')
  }
  const enabled = readEnabled(annotations)
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
    const why = settings.enabled === false ? 'is "false"' : 'is not set'
    const message = `Annotation flux-metrics/enabled ${why} on the pod or the MiniCluster`
    return { decision: skip('NotEnabled', message), warnings }
  }
  const obstacle = findObstacle(pod, minicluster, settings, prerequisites)
  if (obstacle !== undefined) return { decision: obstacle, warnings }
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

function findObstacle(
  pod: Pod,
  minicluster: MiniCluster,
  settings: Settings,
  { hasAuthority, knowsFrontProxy }: Prerequisites,
): Skip | undefined {
  if (isWindows(pod)) {
    return skip('NotLinux', 'The pod is for Windows, and the sidecar is a Linux container')
  }
  const named = allContainers(pod).find(({ name }) => name === CONTAINER_NAME)
  if (named !== undefined) return skipForContainer(pod)
  if (hasNoSocket(minicluster)) {
    const message =
      'The broker has no socket: set spec.flux.disableSocket of the MiniCluster to false'
    return skip('SocketDisabled', message)
  }
  const taken = pod.spec.volumes?.find(({ name }) => VOLUMES.includes(name))
  if (taken !== undefined) {
    const message = `The pod already has a volume "${taken.name}", a name that the sidecar needs: rename it`
    return skip('NameTaken', message)
  }
  const { key, value } = SERVICE_LABEL
  const label = pod.metadata.labels?.[key]
  if (label !== undefined && label !== value) {
    const message = `The pod has the label ${key}=${label}, and the sidecar needs ${key}=${value}: remove it`
    return skip('NameTaken', message)
  }
  const clash = skipForPort(pod, settings.port ?? SIDECAR_PORT)
  if (clash !== undefined) return clash
  if (!hasAuthority && settings.tlsSecret === undefined) {
    const message =
      'The webhook has no CA to issue certificates (CERTIFICATES=files, or its CA has expired): ' +
      'name a Secret with a certificate in flux-metrics/tls-secret'
    return skip('NoAuthority', message)
  }
  // A sidecar that gets its certificate from the webhook gets the front proxy's CA with it, later.
  if (!knowsFrontProxy && settings.tlsSecret !== undefined) {
    const message =
      'The CA of the front proxy is not known: check that ConfigMap ' +
      'kube-system/extension-apiserver-authentication has it, and see the log of the webhook'
    return skip('NoAuthority', message)
  }
  return undefined
}

/** The kubelet's port on every node. */
const KUBELET_PORT = 10_250

function skipForPort(pod: Pod, port: number): Skip | undefined {
  const cure = 'which the sidecar needs: set flux-metrics/port to a free port'
  const other = allContainers(pod).find((container) => hostsPort(container, port))
  if (pod.spec.hostNetwork !== true) {
    if (other === undefined) return undefined
    return skip('PortTaken', `Container "${other.name}" of the pod uses port ${port}, ${cure}`)
  }
  if (other === undefined && port !== KUBELET_PORT) return undefined
  const who = other === undefined ? 'The kubelet' : `Container "${other.name}" of the pod`
  const what = `${who} uses port ${port} on the network of its node`
  return skip('HostNetworkPortTaken', `${what}, ${cure}`)
}

function skipForContainer({ metadata }: Pod): Skip {
  if (metadata.annotations?.[INJECTED_ANNOTATION] !== undefined) {
    return skip('AlreadyInjected', 'The pod already has the sidecar')
  }
  const message = `The pod already has a container "${CONTAINER_NAME}", the name of the sidecar: rename it`
  return skip('NameTaken', message)
}
