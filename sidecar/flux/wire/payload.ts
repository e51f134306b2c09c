// Payloads (RFC 3): JSON objects or plain texts. Each ends with one NUL byte, which is part of the payload.
import { FluxError } from '../errors.ts'

const NUL = 0

/**
 * An integer of 16 or more digits can exceed 2^53, and `JSON.parse` would round it. Job ids are this large from the
 * seventh day of an instance on (RFC 19).
 */
const UNSAFE_DIGITS = 16
const INTEGER = /^-?[0-9]+$/

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
    return mayHoldUnsafeIntegers(payload) ? JSON.parse(text, keepIntegers) : JSON.parse(text)
  } catch (cause) {
    throw broken(topic, 'expected JSON', cause)
  }
}

/**
 * Whether {@link UNSAFE_DIGITS} digits follow each other, in a number or a string. Such a run of digits covers an offset
 * that is a multiple of {@link UNSAFE_DIGITS}, so only these offsets are checked. A regular expression would take twice
 * the time of `JSON.parse`, a reviver ten times.
 */
function mayHoldUnsafeIntegers(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += UNSAFE_DIGITS) {
    if (!isDigit(bytes[at])) continue
    let first = at
    let last = at
    while (isDigit(bytes[first - 1])) first -= 1
    while (isDigit(bytes[last + 1])) last += 1
    if (last - first + 1 >= UNSAFE_DIGITS) return true
  }
  return false
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function keepIntegers(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context?.source
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value
}

function broken(topic: string | undefined, why: string, cause?: unknown): FluxError {
  const message = `Cannot decode payload of "${topic ?? ''}": ${why}`
  return new FluxError('FLUX_PROTOCOL', message, { topic, cause })
}
