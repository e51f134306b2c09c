// Why a pod is left as it is, for programs and for people. Decides nothing.

/** Why a pod is left as it is. A closed list for programs: logs, Events and metrics use no other words. */
export const SKIP_REASONS = [
  'NotCreated',
  'NotAPod',
  'NotIndexZero',
  'NotAMiniCluster',
  'NotEnabled',
  'AlreadyInjected',
  'SocketDisabled',
  'SocketNotShared',
  'PortTaken',
  'HostNetworkPortTaken',
  'NameTaken',
  'NotLinux',
  'LimitsDoNotFit',
  'NoAuthority',
  'LookUpFailed',
  'InternalError',
] as const

export type SkipReason = (typeof SKIP_REASONS)[number]

/** Reasons that are reported to the user: metrics were asked for, and the pod gets no sidecar. */
const REPORTED: ReadonlySet<SkipReason> = new Set([
  'SocketDisabled',
  'SocketNotShared',
  'PortTaken',
  'HostNetworkPortTaken',
  'NameTaken',
  'NotLinux',
  'LimitsDoNotFit',
  'NoAuthority',
  'LookUpFailed',
  'InternalError',
])

export interface Skip {
  readonly kind: 'skip'
  readonly reason: SkipReason
  /** One sentence for people. */
  readonly message: string
  /** Whether the user sees it: as a warning and as an Event of the MiniCluster. */
  readonly isReported: boolean
}

export function skip(reason: SkipReason, message: string): Skip {
  return { kind: 'skip', reason, message, isReported: REPORTED.has(reason) }
}
