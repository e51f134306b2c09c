// What a decision to inject says: everything that differs from pod to pod.
import type { Settings } from './annotations.ts'
import type { SocketPlace } from './socket.ts'

/** The sidecar goes in, like this. */
export interface Plan {
  readonly kind: 'inject'
  readonly minicluster: { readonly namespace: string; readonly name: string }
  readonly socket: SocketPlace
  /** A native sidecar (Kubernetes 1.29); else an ordinary container that ends with the broker. */
  readonly native: boolean
  readonly settings: Settings
}
