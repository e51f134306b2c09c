// The version of an API server.

export interface ServerVersion {
  readonly major: number
  readonly minor: number
}

/** Whether a server has what came with a version. */
export function isSince({ major, minor }: ServerVersion, since: ServerVersion): boolean {
  return major > since.major || (major === since.major && minor >= since.minor)
}
