// Reads the APIResourceList of another server, of which nothing is taken for granted. Pure.
import { MINICLUSTERS } from '#api/api-group.ts'
import type { ApiResource } from '#api/documents/resources.ts'

const MAX_NAME = 512

/**
 * The resources that can be listed, each name once; `undefined` if it is no such list. Those of MiniClusters are left out: the
 * adapter is never asked about them.
 */
export function parseResourceList(text: string): readonly ApiResource[] | undefined {
  const list = toFields(parse(text))
  if (list?.kind !== 'APIResourceList' || !Array.isArray(list.resources)) return undefined
  const resources = new Map<string, ApiResource>()
  for (const item of list.resources) {
    const { name, namespaced, kind } = toFields(item) ?? {}
    if (typeof name !== 'string' || name.length > MAX_NAME || typeof kind !== 'string') continue
    // `resource/metric`, or a metric alone.
    if (!/^[^/]+(\/[^/]+)?$/.test(name) || name.startsWith(`${MINICLUSTERS}/`)) continue
    resources.set(name, { name, namespaced: namespaced === true, kind })
  }
  return [...resources.values()]
}

function toFields(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
