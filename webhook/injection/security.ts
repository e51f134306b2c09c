// The user of the injected container, and what Pod Security and OpenShift ask of it. Pure.
import type { Settings } from '../objects/annotation-rules.ts'
import type { Json } from '../objects/json.ts'
import { allContainers, type Pod } from '../objects/pod.ts'

/** The user of distroless images. A broker accepts any UID as a guest. */
const DEFAULT_UID = 65_532

/** OpenShift names the constraints here that it has admitted the pod with. They choose the UID, mostly from a range. */
const CONSTRAINTS = 'openshift.io/scc'

/** Passes Pod Security "restricted", unless the user asks for UID 0. */
export function securityContext(pod: Pod, { runAsUser }: Settings): Json {
  const uid = runAsUser ?? DEFAULT_UID
  return {
    // OpenShift would refuse a UID outside its range, and some of its constraints any seccomp profile. It sets both itself.
    ...(isConstrained(pod)
      ? { ...(runAsUser !== undefined && { runAsUser }) }
      : { runAsUser: uid, runAsGroup: uid }),
    runAsNonRoot: uid !== 0,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    ...(!isConstrained(pod) && { seccompProfile: { type: 'RuntimeDefault' } }),
  }
}

/** Why the pod would be refused with a UID of the user's choice, in words; `undefined` if it would not. */
export function uidObstacle(
  pod: Pod,
  { runAsUser }: Settings,
  broker: number | undefined,
): string | undefined {
  if (runAsUser === 0 && refusesRoot(pod)) {
    return 'runAsNonRoot keeps every container of the pod from UID 0, and Pod Security may refuse it'
  }
  if (runAsUser === undefined || !isConstrained(pod) || runAsUser === (broker ?? runAsUser)) return
  return `OpenShift has given the pod UID ${broker}`
}

/** Whether every container says that it never runs as root, as Pod Security "restricted" demands. */
function refusesRoot(pod: Pod): boolean {
  const ofPod = pod.spec.securityContext?.runAsNonRoot
  return allContainers(pod).every(
    ({ securityContext: its }) => (its?.runAsNonRoot ?? ofPod) === true,
  )
}

function isConstrained({ metadata }: Pod): boolean {
  return metadata.annotations?.[CONSTRAINTS] !== undefined
}
