// Objects as Go writes them to JSON: without the fields that are empty and tagged `omitempty`.
import type { Json } from '../../objects/json.ts'

export function omitEmpty(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)))
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}
