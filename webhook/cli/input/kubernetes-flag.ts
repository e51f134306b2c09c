// The flag --kubernetes: the version of the API server where no cluster is asked. Pure.
import { parseServerVersion, type ServerVersion } from '../../kubernetes/server-version.ts'

/** Its default: the newest version that the project was tested with. */
export const DEFAULT_KUBERNETES = '1.37'

/** @returns a sentence if the text is not a version */
export function readKubernetesFlag(text: string): ServerVersion | string {
  const expected = '--kubernetes: expected a version such as 1.32'
  return parseServerVersion(text) ?? `${expected}, got "${text}"`
}
