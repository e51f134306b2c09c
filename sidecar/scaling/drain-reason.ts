// The reasons of our drains. By its reason alone a drain is recognised as ours, after a restart too.

/** How the reasons begin. The rest is for people. */
const PREFIX = 'flux-metrics'

/** @param size the size for which the ranks are drained */
export function drainReason(instance: string, size: number): string {
  return `${PREFIX}/${instance}: scale-down to ${size}`
}

/** Whether a sidecar made a drain, of this instance or of another one. */
export function isSidecarReason(reason: string): boolean {
  return reason.startsWith(`${PREFIX}/`)
}

/** Whether the sidecar of this instance made a drain. */
export function isOwnReason(instance: string, reason: string): boolean {
  return reason.startsWith(`${PREFIX}/${instance}: `)
}
