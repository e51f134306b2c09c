// Releases of flux-core, as the broker attribute `version` names them.

/** Whether `version`, e.g. `0.88.0`, is the release `[major, minor]` or a later one. */
export function isSince(
  version: string,
  release: readonly [major: number, minor: number],
): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > release[0] || (major === release[0] && minor >= release[1])
}
