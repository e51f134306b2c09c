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
  /** GPUs that a whole node must have, if that is not all that is wanted of it. */
  readonly leastGpus?: number
  /** Where slots may have more than the least. */
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

/**
 * The range of a count, if it is one. Of those in text (RFC 45), which Fluxion 0.54 refuses, it is taken to be without end: with it a slot
 * needs no more nodes.
 */
export function rangeOf(count: unknown, times: number): CountRange | undefined {
  const endless = { times, max: Number.POSITIVE_INFINITY, operator: '+', operand: 1 }
  if (typeof count === 'string') {
    return /^\[?\d+\]?$/.test(count) ? undefined : { ...endless, min: leastOf(count, 'count') }
  }
  if (!isJsonObject(count)) return undefined
  const min = leastOf(count, 'count')
  const { max, operator, operand } = count
  if (max === min) return undefined
  return {
    ...{ times, min },
    max: typeof max === 'number' ? max : endless.max,
    operator: typeof operator === 'string' ? operator : endless.operator,
    // Whole numbers (RFC 14): with 1.0000001 it would take millions of steps to the end of the range.
    operand: Number.isSafeInteger(operand) ? Number(operand) : endless.operand,
  }
}

/** How many of those that are free on a node Fluxion gives each slot: as many as the range and the node allow. */
export function mostOf({ min, max, operator, operand }: CountRange, free: number): number {
  const limit = Math.min(max, free)
  if (limit <= min || operand < 1) return min
  if (operator === '+') return limit - ((limit - min) % operand)
  let most = min
  let next = nextOf(min, operator, operand)
  while (next > most && next <= limit) {
    most = next
    next = nextOf(most, operator, operand)
  }
  return most
}

/**
 * How many nodes have to be free until Fluxion finds so many slots of nodes. Of a range each takes as many as there are.
 */
export function nodesOfSlots(count: unknown, slots: number): number {
  const range = rangeOf(count, 1)
  return range === undefined ? slots * leastOf(count, 'count') : nodesOfRange(range, slots)
}

function nodesOfRange(range: CountRange, slots: number): number {
  const { min, max, operator, operand } = range
  if (slots <= 1 || !Number.isFinite(max)) return slots * min
  // With so few nodes no slot can take more yet.
  const isEnough = (count: number) => slots * count < nextOf(count, operator, operand)
  if (operator === '+') return slots * (isEnough(min) ? min : mostOf(range, max))
  let count = min
  let next = nextOf(count, operator, operand)
  while (next > count && next <= max && !isEnough(count)) {
    count = next
    next = nextOf(count, operator, operand)
  }
  return slots * count
}

function nextOf(count: number, operator: string, operand: number): number {
  if (operator === '+') return count + operand
  return operator === '*' ? count * operand : count ** operand
}

export function broken(path: string, expected: string, got: unknown): FluxError {
  const message = `Cannot read jobspec at ${path}: expected ${expected}, got ${show(got)}`
  return new FluxError('FLUX_PROTOCOL', message)
}
