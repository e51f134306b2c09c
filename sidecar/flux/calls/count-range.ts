// Ranges of counts in jobspecs (RFC 14), and what Fluxion takes of them: as many as there are, and not the least.

import { isJsonObject } from '../wire/payload.ts'
import { type CountRange, leastOf } from './jobspec-parts.ts'

/**
 * The range of a count, if it is one. One in text (RFC 45), which Fluxion 0.54 refuses, is taken to be without end: with it a slot
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

/** How many nodes have to be free until Fluxion finds so many slots of nodes. Of a range each takes as many as there are. */
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
