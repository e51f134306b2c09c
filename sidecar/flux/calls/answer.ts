// Reads answers key by key. The result is a value of the expected type, or an error that shows the actual value.
import { FluxError } from '../errors.ts'
import { type Idset, parseIdset } from '../sets/idset.ts'
import { isJsonObject, type JsonObject } from '../wire/payload.ts'

/** An error shows this many characters of a value. */
const SHOWN_LENGTH = 80

/** @throws FluxError `FLUX_PROTOCOL` if it is not a string */
export function stringAt(answer: JsonObject, key: string, topic: string): string {
  const value = answer[key]
  if (typeof value !== 'string') throw unexpected(topic, key, 'a string', value)
  return value
}

/** @throws FluxError `FLUX_PROTOCOL` if it is not an integer from 0 to 2^53 − 1 */
export function countAt(answer: JsonObject, key: string, topic: string): number {
  const value = answer[key]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw unexpected(topic, key, 'a count', value)
}

/** A finite number. An integer beyond 2^53 is rounded. @throws FluxError `FLUX_PROTOCOL` if it is not a number */
export function numberAt(answer: JsonObject, key: string, topic: string): number {
  const part = answer[key]
  const value = typeof part === 'bigint' ? Number(part) : part
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw unexpected(topic, key, 'a number', part)
}

/** @throws FluxError `FLUX_PROTOCOL` if it is not a boolean */
export function booleanAt(answer: JsonObject, key: string, topic: string): boolean {
  const value = answer[key]
  if (typeof value !== 'boolean') throw unexpected(topic, key, 'a boolean', value)
  return value
}

/** @throws FluxError `FLUX_PROTOCOL` if it is not an array */
export function arrayAt(answer: JsonObject, key: string, topic: string): readonly unknown[] {
  const value = answer[key]
  if (!Array.isArray(value)) throw unexpected(topic, key, 'an array', value)
  return value
}

/** @throws FluxError `FLUX_PROTOCOL` if it is not an idset (RFC 22) */
export function idsetAt(answer: JsonObject, key: string, topic: string): Idset {
  const text = stringAt(answer, key, topic)
  return partAt({ topic, key }, () => parseIdset(text))
}

/**
 * The result of `read` for a part of an answer.
 *
 * @throws FluxError `FLUX_PROTOCOL`: the error of `read`, with topic and key
 */
export function partAt<T>(
  { topic, key }: { readonly topic: string; readonly key: string },
  read: () => T,
): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof FluxError)) throw cause
    const message = `Cannot read the answer to "${topic}" at "${key}": ${cause.message}`
    throw new FluxError('FLUX_PROTOCOL', message, { topic, cause })
  }
}

/** The error for a key of an answer that does not have the expected value. */
export function unexpected(topic: string, key: string, wanted: string, got: unknown): FluxError {
  const message = `Cannot read the answer to "${topic}": expected ${wanted} at "${key}", got ${show(got)}`
  return new FluxError('FLUX_PROTOCOL', message, { topic })
}

/** The beginning of any part of an answer, as JSON. A part may be as large as the answer: it is not written whole. */
export function show(part: unknown): string {
  // Each value takes at least one character.
  const text = JSON.stringify(begin(part, { values: SHOWN_LENGTH }))
  return String(text).slice(0, SHOWN_LENGTH)
}

/** A value without what follows its first `left.values` values. */
function begin(part: unknown, left: { values: number }): unknown {
  left.values -= 1
  if (typeof part === 'bigint') return `${part}`
  if (typeof part === 'string') return part.slice(0, SHOWN_LENGTH)
  if (Array.isArray(part))
    return part.slice(0, Math.max(0, left.values + 1)).map((one) => begin(one, left))
  if (!isJsonObject(part)) return part
  const shown: [string, unknown][] = []
  for (const key in part) {
    if (left.values < 0) break
    shown.push([key.slice(0, SHOWN_LENGTH), begin(part[key], left)])
  }
  return Object.fromEntries(shown)
}
