// What the asking of sidecars tells its telemetry: types only.

/** How a question ended. */
export type AskOutcome =
  | 'answered'
  /** The sidecar answered with an error. */
  | 'refused'
  /** There is no sidecar that could be asked. */
  | 'absent'
  | 'unreachable'
  | 'identity'
  /** Not asked, because it has not been reached lately. */
  | 'circuit'
  /** The time of the asker was over. */
  | 'late'
  | 'overload'
  /** The answer broke the rules. */
  | 'invalid'

export interface AskingObserver {
  asked(outcome: AskOutcome, how: { readonly shared: boolean }): void
}

/** The state of the asking now, for gauges. */
export interface AskingState {
  readonly running: number
  readonly waiting: number
  readonly openCircuits: number
  readonly idleConnections: number
}

/** Whether the sidecar of a MiniCluster that has a pod can be asked now. */
export const PEER_STATES = [
  'askable',
  /** Its pod says that it cannot. */
  'unready',
  /** No pod has proved to be it. */
  'unproved',
  /** It could not be reached lately. */
  'unreachable',
] as const

export type PeerState = (typeof PEER_STATES)[number]
