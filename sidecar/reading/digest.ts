// A short name for a value, to find equal ones: the text of a value would be as large as the value.
import { createHash } from 'node:crypto'

/** Equal for values with equal JSON, and for no others. */
export function digestOf(value: object): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64')
}
