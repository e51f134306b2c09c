// The reasons of our drains: by them alone they are known again, after a restart too.

/** Reasons begin so; what follows tells people. */
const PREFIX = 'flux-metrics'

/** The reason of our drains: by it alone they are known again. */
export function drainReason(instance: string, size: number): string {
  return `${PREFIX}/${instance}: scale-down to ${size}`
}

/** Whether a drain was made by a sidecar, whichever instance it was of. */
export function isSidecarReason(reason: string): boolean {
  return reason.startsWith(`${PREFIX}/`)
}

/** Whether a drain is ours. */
export function isOwnReason(instance: string, reason: string): boolean {
  return reason.startsWith(`${PREFIX}/${instance}: `)
}
