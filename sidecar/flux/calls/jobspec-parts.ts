// What every reader of a jobspec's resources needs: the part that they make of them, counts, and bounds.

import { FluxError } from '../errors.ts'
import { isJsonObject } from '../wire/payload.ts'
import { show } from './answer.ts'

/** Nodes, or slots that may be spread over nodes as they fit. */
export interface RequestPart {
  /** `undefined` if the slots may be spread. */
  readonly nodes: number | undefined
  /** With nodes there is one slot a node, with everything that the job wants of the node. */
  readonly slots: number
  /** Per slot. */
  readonly cores: number
  /** Per slot. */
  readonly gpus: number
  /** Whole nodes. */
  readonly exclusive: boolean
  /** GPUs that a whole node must have where that is less than all that is wanted of it. Default: all. */
  readonly leastGpus?: number
  /** Where slots may have more than the least: Fluxion gives them what is there. */
  readonly ranges?: PartRanges
}

export interface PartRanges {
  readonly cores?: CountRange
  readonly gpus?: CountRange
}

/** How many of something a slot may have (RFC 14). */
export interface CountRange {
  /** How many such slots there are in each slot of the part. */
  readonly times: number
  readonly min: number
  readonly max: number
  readonly operator: string
  readonly operand: number
}

/** Deeper and larger than any jobspec that a person writes. */
export const MAX_DEPTH = 16
export const MAX_VERTICES = 256

/** No R has as many of anything: beyond it products would lose digits. */
export const MAX_COUNT = 2 ** 40

/** The least number of a range (RFC 45, `"2-5"`, `"[2+]"`) or of an idset. */
const LEAST = /^\[?(\d+)(?=[-+:,\]]|$)/

/** An integer; or a range as RFC 14 (`{ min }`) or RFC 45 writes it. */
export function leastOf(count: unknown, path: string): number {
  const [, text] = (typeof count === 'string' && LEAST.exec(count)) || []
  const least = text !== undefined ? Number(text) : isJsonObject(count) ? count.min : count
  if (typeof least === 'number' && Number.isSafeInteger(least) && least >= 0) return least
  throw broken(path, 'a count', count)
}

export function broken(path: string, expected: string, got: unknown): FluxError {
  const message = `Cannot read jobspec at ${path}: expected ${expected}, got ${show(got)}`
  return new FluxError('FLUX_PROTOCOL', message)
}
