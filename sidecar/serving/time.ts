// Times as Kubernetes writes them. Pure.

/** meta/v1 `Time`: RFC 3339 in UTC with whole seconds. Rounded down, so that no time is in the future. */
export function formatTime(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`
}
