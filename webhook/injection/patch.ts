// Turns a plan into JSON Patch operations (RFC 6902) on a pod. It only adds: everything of the user keeps its content and
// its order. Pure.
import {
  CLIENT_CA_ANNOTATION,
  INJECTED_ANNOTATION,
  MINICLUSTER_LABEL,
  SERVICE_LABEL,
  SIDECAR_PORT,
} from '../contract.ts'
import { brokerIndex, type Pod } from '../objects/pod.ts'
import { type SidecarOptions, sidecarContainer } from './container.ts'
import { type AddOperation, append, setKeys } from './json-patch.ts'
import { meshAnnotations } from './mesh.ts'
import type { Plan } from './plan.ts'
import { missingProtection } from './protection.ts'
import { brokerMount, sidecarVolumes } from './volumes.ts'

/**
 * Names the container of `kubectl logs` and `kubectl exec` without `-c`: the first, as without the sidecar, also where that is
 * not the broker's.
 */
const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container'

/** The operations that carry out a plan. */
export function patchFor(pod: Pod, plan: Plan, options: SidecarOptions): readonly AddOperation[] {
  const { metadata, spec } = pod
  const container = sidecarContainer(pod, plan, options)
  const mount = brokerMount(plan)
  const broker = brokerIndex(pod, plan.minicluster.name)
  const [first] = spec.containers
  const defaultContainer = metadata.annotations?.[DEFAULT_CONTAINER] ?? first?.name ?? ''
  return [
    ...setKeys(['metadata', 'labels'], metadata.labels, {
      [SERVICE_LABEL.key]: SERVICE_LABEL.value,
      [MINICLUSTER_LABEL]: plan.minicluster.name,
    }),
    ...setKeys(['metadata', 'annotations'], metadata.annotations, {
      [INJECTED_ANNOTATION]: options.version,
      ...(plan.settings.tlsSecret !== undefined &&
        options.frontProxy !== undefined && {
          [CLIENT_CA_ANNOTATION]: options.frontProxy.clientCa,
        }),
      ...meshAnnotations(pod, plan.settings.port ?? SIDECAR_PORT),
      // Of a MiniCluster that was created without them. Without its lead broker all of its jobs end.
      ...missingProtection(metadata.annotations, plan.settings),
      [DEFAULT_CONTAINER]: defaultContainer,
    }),
    ...append(['spec', 'volumes'], spec.volumes, sidecarVolumes(pod, plan)),
    ...(mount === undefined
      ? []
      : append(
          ['spec', 'containers', String(broker), 'volumeMounts'],
          spec.containers[broker]?.volumeMounts,
          [mount],
        )),
    // The sidecar is last: the init container that makes the socket's folder runs before it, and the containers of the
    // user keep their indices.
    ...(plan.native
      ? append(['spec', 'initContainers'], spec.initContainers, [container])
      : append(['spec', 'containers'], spec.containers, [container])),
  ]
}
