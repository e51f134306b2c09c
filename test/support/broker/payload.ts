// Payloads of answers. This encoder is independent of the client's payload.ts, and writes integers over 2^53.
import type { JsonObject } from '#flux/wire/payload.ts'

const MARKED_INTEGER = /"bigint:(-?[0-9]+)"/g

/** Encodes an answer; each `bigint` becomes an integer with all of its digits. */
export function encodePayload(value: JsonObject): Buffer {
  let marked = false
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'bigint') return part
    if (part <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(part)
    marked = true
    return `bigint:${part}`
  })
  return Buffer.from(`${marked ? text.replace(MARKED_INTEGER, '$1') : text}\0`)
}
