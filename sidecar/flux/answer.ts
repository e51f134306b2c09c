// Reads what answers hold, key by key: a value of the type that is expected there, or an error that says what came instead.
import { FluxError } from './errors.ts'
import type { JsonObject } from './payload.ts'

/** Longest part of a value that an error shows. */
const SHOWN_LENGTH = 80

/** @throws FluxError `FLUX_PROTOCOL` if it is no string */
export function stringAt(answer: JsonObject, key: string, topic: string): string {
  const value = answer[key]
  if (typeof value !== 'string') throw unexpected(topic, key, 'a string', value)
  return value
}

/** A count, which is exact. @throws FluxError `FLUX_PROTOCOL` if it is none */
export function countAt(answer: JsonObject, key: string, topic: string): number {
  const value = answer[key]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw unexpected(topic, key, 'a count', value)
}

/** A finite number. @throws FluxError `FLUX_PROTOCOL` if it is none */
export function numberAt(answer: JsonObject, key: string, topic: string): number {
  const value = answer[key]
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw unexpected(topic, key, 'a number', value)
}

/** @throws FluxError `FLUX_PROTOCOL` if it is no boolean */
export function booleanAt(answer: JsonObject, key: string, topic: string): boolean {
  const value = answer[key]
  if (typeof value !== 'boolean') throw unexpected(topic, key, 'a boolean', value)
  return value
}

/** @throws FluxError `FLUX_PROTOCOL` if it is no array */
export function arrayAt(answer: JsonObject, key: string, topic: string): readonly unknown[] {
  const value = answer[key]
  if (!Array.isArray(value)) throw unexpected(topic, key, 'an array', value)
  return value
}

/** What is wrong with an answer, as the error to throw. */
export function unexpected(topic: string, key: string, wanted: string, got: unknown): FluxError {
  const shown = String(
    JSON.stringify(got, (_, part) => (typeof part === 'bigint' ? `${part}` : part)),
  )
  const message = `Cannot read the answer to "${topic}": expected ${wanted} at "${key}", got ${shown.slice(0, SHOWN_LENGTH)}`
  return new FluxError('FLUX_PROTOCOL', message, { topic })
}
