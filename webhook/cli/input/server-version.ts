// The version of an API server, as `kubectl version` prints it: what `--kubernetes` takes.
import type { ServerVersion } from '../../kubernetes/server-version.ts'

/** Where `--kubernetes` is not given: the newest that the project was tried with. */
export const DEFAULT_KUBERNETES = '1.36'

/** @returns a sentence if it is none */
export function readServerVersion(text: string): ServerVersion | string {
  const [, major, minor] = /^v?(\d{1,4})\.(\d{1,4})(?:[.+-].*)?$/.exec(text) ?? []
  if (major === undefined || minor === undefined) {
    return `--kubernetes: expected a version such as 1.32, got "${text}"`
  }
  return { major: Number(major), minor: Number(minor) }
}
