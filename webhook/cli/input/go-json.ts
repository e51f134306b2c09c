// How Go writes objects, as far as it can be seen in them.
import type { Json } from '../../injection/container.ts'

/** Without the fields that Go leaves out where they are empty (`omitempty`). */
export function omitEmpty(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
