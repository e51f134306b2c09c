// The version of an API server, and the comparison of two. Pure: it is read in api-server.ts.

export interface ServerVersion {
  readonly major: number
  readonly minor: number
}

/** Whether a server has that version or a later one. */
export function isSince({ major, minor }: ServerVersion, since: ServerVersion): boolean {
  return major > since.major || (major === since.major && minor >= since.minor)
}

/** Since this version an init container may always restart. */
export const NATIVE_SIDECARS_SINCE: ServerVersion = { major: 1, minor: 29 }
