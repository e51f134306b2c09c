// From a plan to JSON Patch operations (RFC 6902) on a pod. Appends only: what the user has keeps its content and order.

import { apply_patch } from 'jsonpatch'
import { CLIENT_CA_ANNOTATION, INJECTED_ANNOTATION, SERVICE_LABEL } from '../contract.ts'

import { type SidecarOptions, sidecarContainer } from './container.ts'
import type { Plan } from './plan.ts'
import type { Pod } from './pod.ts'
import { brokerMount, type Json, sidecarVolumes } from './volumes.ts'

/** What we need of RFC 6902. */
export interface AddOperation {
  readonly op: 'add'
  readonly path: string
  readonly value: unknown
}

const MINICLUSTER_LABEL = 'flux-metrics/minicluster'
/** Where `kubectl logs` and `kubectl exec` go without `-c`. */
const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container'

/** The operations that carry out a plan. */
export function patchFor(pod: Pod, plan: Plan, options: SidecarOptions): readonly AddOperation[] {
  const { metadata, spec } = pod
  const container = sidecarContainer(pod, plan, options)
  const mount = brokerMount(plan)
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
      [DEFAULT_CONTAINER]: defaultContainer,
    }),
    ...append(['spec', 'volumes'], spec.volumes, sidecarVolumes(pod, plan)),
    ...(mount === undefined
      ? []
      : append(['spec', 'containers', '0', 'volumeMounts'], first?.volumeMounts, [mount])),
    // Last: the init step that makes the socket's folder comes before it, and the user's containers keep their places.
    ...(plan.native
      ? append(['spec', 'initContainers'], spec.initContainers, [container])
      : append(['spec', 'containers'], spec.containers, [container])),
  ]
}

/**
 * The object that a patch makes of a pod, which stays as it is.
 *
 * @throws Error if the patch does not apply: the API server would refuse the pod
 */
export function applyTo(pod: object, patch: readonly AddOperation[]): unknown {
  try {
    return apply_patch<unknown>(pod, [...patch])
  } catch (cause) {
    // The library's errors share one stack, made when it was loaded.
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`Cannot apply the patch: ${why}`, { cause })
  }
}

/** A JSON Pointer (RFC 6901). */
export function pointer(segments: readonly string[]): string {
  return segments.map((text) => `/${text.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** A list that is not there is made by its first item. */
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

/** A map that is not there is made with all of them. */
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
