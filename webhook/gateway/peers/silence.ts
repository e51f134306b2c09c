// When a copy of what the API server has is too old to be taken for all there is, in words. Pure.

/** How long the API server may say nothing: it sends a bookmark each minute. After that there may be more than the copy has. */
export const SILENT_MS = 180_000

/** @param failure why the last attempt failed, if one did */
export function silenceOf(silentMs: number, failure: string | undefined): string {
  const why = failure ?? 'it is silent'
  return `for ${Math.floor(silentMs / 60_000)} minutes the API server has told of no new ones: ${why}`
}
