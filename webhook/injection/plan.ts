// The plan of an injection: everything that differs from pod to pod. Made by admission/decision.ts, carried out by patch.ts.
import type { Settings } from '../objects/annotation-rules.ts'
import type { Resources } from './resources/sidecar-resources.ts'
import type { SocketPlace } from './socket.ts'

/** A decision to inject. */
export interface Plan {
  readonly kind: 'inject'
  readonly minicluster: { readonly namespace: string; readonly name: string }
  readonly socket: SocketPlace
  /** A native sidecar (Kubernetes 1.29); otherwise an ordinary container, which ends with the broker. */
  readonly native: boolean
  readonly settings: Settings
  readonly resources: Resources
}
