// The version of an API server as `kubectl version` prints it: the value of `--kubernetes`. Pure.
import type { ServerVersion } from '../../../kubernetes/server-version.ts'

/** The default of `--kubernetes`: the newest version that the project was tested with. */
export const DEFAULT_KUBERNETES = '1.37'

/** @returns a sentence if the text is not a version */
export function readServerVersion(text: string): ServerVersion | string {
  const [, major, minor] = /^v?(\d{1,4})\.(\d{1,4})(?:[.+-].*)?$/.exec(text) ?? []
  if (major === undefined || minor === undefined) {
    return `--kubernetes: expected a version such as 1.32, got "${text}"`
  }
  return { major: Number(major), minor: Number(minor) }
}
