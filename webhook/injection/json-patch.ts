// JSON Patch (RFC 6902) as far as the webhook uses it. Knows neither pods nor MiniClusters. Pure.
import { apply_patch } from 'jsonpatch'
import { messageOf } from '#serving/text.ts'
import type { Json } from '../objects/json.ts'

/** The operations of RFC 6902 that are used. */
export type Operation = AddOperation | RemoveOperation

export interface AddOperation {
  readonly op: 'add'
  readonly path: string
  readonly value: unknown
}

export interface RemoveOperation {
  readonly op: 'remove'
  readonly path: string
}

/**
 * The patched copy of an object.
 *
 * @throws Error if the patch does not apply: the API server would refuse the object
 */
export function applyTo(object: object, patch: readonly Operation[]): unknown {
  try {
    return apply_patch<unknown>(object, [...patch])
  } catch (cause) {
    // The library's errors share one useless stack trace, so a new error is thrown.
    throw new Error(`Cannot apply the patch: ${messageOf(cause)}`, { cause })
  }
}

/** A JSON Pointer (RFC 6901). */
export function pointer(segments: readonly string[]): string {
  return segments.map((text) => `/${text.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** The first item creates a missing list; the others are appended. */
export function append(
  path: readonly string[],
  list: readonly unknown[] | null | undefined,
  items: readonly Json[],
): readonly AddOperation[] {
  const [first, ...others] = items
  if (first === undefined) return []
  const next = (value: Json) => add([...path, '-'], value)
  if (list === null || list === undefined) return [add(path, [first]), ...others.map(next)]
  return items.map(next)
}

/** Creates a missing map with all entries; otherwise sets the entries that differ. */
export function setKeys(
  path: readonly string[],
  map: Readonly<Record<string, string>> | null | undefined,
  entries: Readonly<Record<string, string>>,
): readonly AddOperation[] {
  if (map === null || map === undefined) return [add(path, entries)]
  return Object.entries(entries)
    .filter(([key, value]) => map[key] !== value)
    .map(([key, value]) => add([...path, key], value))
}

export function add(path: readonly string[], value: unknown): AddOperation {
  return { op: 'add', path: pointer(path), value }
}

export function remove(path: readonly string[]): RemoveOperation {
  return { op: 'remove', path: pointer(path) }
}
