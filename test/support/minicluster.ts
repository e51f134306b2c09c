// The fields of a MiniCluster (flux-framework.org/v1alpha2) that the tests read and write.
import type { KubernetesObject } from '@kubernetes/client-node'

/** Group, version and plural, as API paths spell them. */
export const MINICLUSTERS = {
  group: 'flux-framework.org',
  version: 'v1alpha2',
  plural: 'miniclusters',
} as const

/** A user container of a MiniCluster. The API server fills in the defaults of the CRD. */
export interface MiniClusterContainer {
  /** A container that does not run Flux needs a name. */
  readonly name?: string
  /** A single container runs Flux in any case. */
  readonly runFlux?: boolean
  readonly image: string
  readonly command?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly resources?: {
    readonly limits?: Readonly<Record<string, string>>
    readonly requests?: Readonly<Record<string, string>>
  }
  readonly securityContext?: SecurityContext
}

/** The user that a container runs as. */
export interface SecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
}

/** `spec` and `status` hold only the fields that the simulated operator uses. */
export interface MiniCluster extends KubernetesObject {
  readonly spec: {
    readonly size: number
    readonly minSize?: number
    readonly maxSize?: number
    readonly interactive?: boolean
    readonly deadlineSeconds?: number
    readonly containers: readonly MiniClusterContainer[]
    readonly flux?: {
      readonly container?: {
        readonly image?: string
        readonly name?: string
        readonly securityContext?: SecurityContext
      }
    }
    readonly network?: { readonly headlessName?: string; readonly disableAffinity?: boolean }
    readonly pod?: {
      readonly annotations?: Readonly<Record<string, string>>
      readonly nodeSelector?: Readonly<Record<string, string>>
    }
  }
  readonly status?: {
    readonly jobid: string
    readonly maximumSize: number
    readonly selector: string
    readonly size: number
  }
}

/** Whether an answer of the API server is a MiniCluster with the fields that its CRD requires. */
export function isMiniCluster(value: unknown): value is MiniCluster {
  if (typeof value !== 'object' || value === null || !('spec' in value)) return false
  const { spec } = value
  if (typeof spec !== 'object' || spec === null) return false
  return 'containers' in spec && Array.isArray(spec.containers) && 'size' in spec
}
