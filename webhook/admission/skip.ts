// Why a pod is left as it is, for programs and for people. Decides nothing.

/**
 * The reasons, and whether the user is told: metrics were asked for, and the pod gets no sidecar. A closed list for programs:
 * logs, Events and metrics use no other words.
 */
const IS_REPORTED = {
  NotCreated: false,
  NotAPod: false,
  NotIndexZero: false,
  NotAMiniCluster: false,
  NotEnabled: false,
  AlreadyInjected: false,
  SocketDisabled: true,
  SocketNotShared: true,
  PortTaken: true,
  HostNetworkPortTaken: true,
  NameTaken: true,
  NotLinux: true,
  LimitsDoNotFit: true,
  NoAuthority: true,
  LookUpFailed: true,
  InternalError: true,
} as const

export type SkipReason = keyof typeof IS_REPORTED

export const SKIP_REASONS: readonly SkipReason[] = Object.keys(IS_REPORTED).filter(isReason)

export interface Skip {
  readonly kind: 'skip'
  readonly reason: SkipReason
  /** One sentence for people. */
  readonly message: string
  /** Whether the user sees it: as a warning and as an Event of the MiniCluster. */
  readonly isReported: boolean
}

export function skip(reason: SkipReason, message: string): Skip {
  return { kind: 'skip', reason, message, isReported: IS_REPORTED[reason] }
}

function isReason(text: string): text is SkipReason {
  return Object.hasOwn(IS_REPORTED, text)
}
