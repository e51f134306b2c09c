// Turns a plan into JSON Patch operations (RFC 6902) on a pod. It only adds: everything of the user keeps its content and
// its order. Pure.
import { apply_patch } from 'jsonpatch'
import {
  CLIENT_CA_ANNOTATION,
  INJECTED_ANNOTATION,
  MINICLUSTER_LABEL,
  SERVICE_LABEL,
  SIDECAR_PORT,
} from '../contract.ts'
import { type SidecarOptions, sidecarContainer } from './container.ts'
import { meshAnnotations } from './mesh.ts'
import type { Plan } from './plan.ts'
import { brokerIndex, type Pod } from './pod.ts'
import { brokerMount, type Json, sidecarVolumes } from './volumes.ts'

/** The only operation of RFC 6902 that is used. */
export interface AddOperation {
  readonly op: 'add'
  readonly path: string
  readonly value: unknown
}

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

/**
 * The patched copy of a pod.
 *
 * @throws Error if the patch does not apply: the API server would refuse the pod
 */
export function applyTo(pod: object, patch: readonly AddOperation[]): unknown {
  try {
    return apply_patch<unknown>(pod, [...patch])
  } catch (cause) {
    // The library's errors share one useless stack trace, so a new error is thrown.
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`Cannot apply the patch: ${why}`, { cause })
  }
}

/** A JSON Pointer (RFC 6901). */
export function pointer(segments: readonly string[]): string {
  return segments.map((text) => `/${text.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** The first item creates a missing list; the others are appended. */
function append(
  path: readonly string[],
  list: readonly unknown[] | null | undefined,
  items: readonly Json[],
): readonly AddOperation[] {
  const [first, ...others] = items
  if (first === undefined) return []
  const next = (value: Json) => add([...path, '-'], value)
  if (list === null || list === undefined) return [add(path, [first]), ...others.map(next)]
  return items.map(next)
}

/** Creates a missing map with all entries; otherwise sets the entries that differ. */
function setKeys(
  path: readonly string[],
  map: Readonly<Record<string, string>> | null | undefined,
  entries: Readonly<Record<string, string>>,
): readonly AddOperation[] {
  if (map === null || map === undefined) return [add(path, entries)]
  return Object.entries(entries)
    .filter(([key, value]) => map[key] !== value)
    .map(([key, value]) => add([...path, key], value))
}

function add(path: readonly string[], value: unknown): AddOperation {
  return { op: 'add', path: pointer(path), value }
}
