// Payloads (RFC 3): JSON objects or plain texts. Each ends with one NUL byte, which is part of the payload.
import { FluxError } from '../errors.ts'
import { markIntegers, restoreIntegers } from './long-integers.ts'

const NUL = 0

/** A decoded JSON object. Integers beyond ±(2^53 − 1) are `bigint`. */
export type JsonObject = { readonly [key: string]: unknown }

/** Whether `value` is an object with keys, as opposed to an array, `null` or a scalar. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Encodes the arguments of a request. A `bigint` is written as an integer with all its digits. */
export function encodeJson(value: JsonObject): Buffer {
  return Buffer.from(`${JSON.stringify(value, writeIntegers)}\0`)
}

declare global {
  /** ES2025 "JSON.parse source text access". Node has it, TypeScript's library does not. */
  interface JSON {
    rawJSON(text: string): object
  }
}

function writeIntegers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? JSON.rawJSON(String(value)) : value
}

/**
 * Decodes the payload of an answer or event. Without a payload the result is an empty object: some methods answer with
 * none.
 *
 * @throws FluxError `FLUX_PROTOCOL` with the topic, if the payload is not a NUL-terminated JSON object.
 */
export function decodeJson(payload: Buffer | undefined, topic: string | undefined): JsonObject {
  if (payload === undefined) return {}
  if (payload[payload.length - 1] !== NUL) throw broken(topic, 'expected a NUL at the end')
  const value = parseLossless(payload, topic)
  if (!isJsonObject(value)) throw broken(topic, 'expected a JSON object')
  return value
}

/** Decodes the text of an error response. `undefined` without one. */
export function decodeText(payload: Buffer | undefined): string | undefined {
  if (payload === undefined || payload.length === 0) return undefined
  const end = payload[payload.length - 1] === NUL ? payload.length - 1 : payload.length
  return payload.toString('utf8', 0, end)
}

function parseLossless(payload: Buffer, topic: string | undefined): unknown {
  const text = payload.toString('utf8', 0, payload.length - 1)
  try {
    const marked = markIntegers(text)
    return marked === undefined ? JSON.parse(text) : restoreIntegers(JSON.parse(marked))
  } catch (cause) {
    throw broken(topic, 'expected JSON', cause)
  }
}

function broken(topic: string | undefined, why: string, cause?: unknown): FluxError {
  const message = `Cannot decode payload of "${topic ?? ''}": ${why}`
  return new FluxError('FLUX_PROTOCOL', message, { topic, cause })
}
