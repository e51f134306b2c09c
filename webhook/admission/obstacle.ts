// What stands in the way of a sidecar in a pod that asks for one: names and ports that are taken, and what the webhook lacks.
// Pure. The decision is made in decision.ts.
import { CONTAINER_NAME, INJECTED_ANNOTATION, SERVICE_LABEL, SIDECAR_PORT } from '../contract.ts'
import type { SidecarOptions } from '../injection/container.ts'
import { VOLUMES } from '../injection/volumes.ts'
import type { Settings } from '../objects/annotation-rules.ts'
import { hasNoSocket, type MiniCluster } from '../objects/minicluster.ts'
import { allContainers, hostsPort, isWindows, type Pod } from '../objects/pod.ts'
import { type Skip, skip } from './skip.ts'

/** The state of the webhook that an injection depends on. */
export interface Prerequisites {
  /** Whether the webhook can issue a certificate to a sidecar now. */
  readonly hasAuthority: boolean
  /** Whether the webhook knows the CA of the front proxy. */
  readonly knowsFrontProxy: boolean
}

export function prerequisitesOf({ identity, frontProxy }: SidecarOptions): Prerequisites {
  return { hasAuthority: identity !== undefined, knowsFrontProxy: frontProxy !== undefined }
}

/** What stands in the way of a sidecar, apart from the socket and the resources. */
export function findObstacle(
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
