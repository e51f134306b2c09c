// The native sidecar from which another webhook took `restartPolicy`: one with a library from before Kubernetes 1.28 drops what it does
// not know. The API server refuses the probe of such an init container, and without a probe it would keep the pod from starting.
// As an ordinary container it has nothing that such a webhook takes. Pure.
import { CONTAINER_NAME, INJECTED_ANNOTATION } from '../contract.ts'
import type { Pod } from '../objects/pod.ts'
import { ORDINARY } from './container.ts'
import { add, type Operation, remove } from './json-patch.ts'

/** A decision to repair. */
export interface Repair {
  readonly kind: 'repair'
  readonly patch: readonly Operation[]
}

/** @returns `undefined` if the sidecar is as it was injected, or is not ours */
export function repairFor({ metadata, spec }: Pod): Repair | undefined {
  if (metadata.annotations?.[INJECTED_ANNOTATION] === undefined) return undefined
  const containers = spec.initContainers ?? []
  const at = containers.findIndex(({ name }) => name === CONTAINER_NAME)
  const sidecar = containers[at]
  if (sidecar === undefined || sidecar.restartPolicy === 'Always') return undefined
  const { env } = sidecar
  return {
    kind: 'repair',
    patch: [
      remove(['spec', 'initContainers', String(at)]),
      add(['spec', 'containers', '-'], {
        ...sidecar,
        env: [...(Array.isArray(env) ? env : []), ORDINARY],
      }),
    ],
  }
}
