// The MiniCluster that the address of the page names: `#/NAMESPACE/NAME`. Pure.
import type { Subject } from '../../data.ts'

/** @returns `undefined` if it names none */
export function subjectIn(hash: string): Subject | undefined {
  const [, namespace, name] = /^#\/([a-z0-9-]+)\/([a-z0-9-]+)$/.exec(hash) ?? []
  return namespace === undefined || name === undefined ? undefined : { namespace, name }
}

export function hashOf({ namespace, name }: Subject): string {
  return `#/${namespace}/${name}`
}
