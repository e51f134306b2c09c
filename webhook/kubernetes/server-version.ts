// The version of an API server: as text, and the comparison of two. Pure.

export interface ServerVersion {
  readonly major: number
  readonly minor: number
}

/** @param text as `kubectl version` prints it. @returns `undefined` for any other text */
export function parseServerVersion(text: string): ServerVersion | undefined {
  const [, major, minor] = /^v?(\d{1,4})\.(\d{1,4})(?:[.+-].*)?$/.exec(text) ?? []
  if (major === undefined || minor === undefined) return undefined
  return { major: Number(major), minor: Number(minor) }
}

/** Whether a server has that version or a later one. */
export function isSince({ major, minor }: ServerVersion, since: ServerVersion): boolean {
  return major > since.major || (major === since.major && minor >= since.minor)
}

/** Since this version an init container may always restart. */
export const NATIVE_SIDECARS_SINCE: ServerVersion = { major: 1, minor: 29 }
