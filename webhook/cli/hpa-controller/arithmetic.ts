// Where releases of the controller compute differently: at the edge of a tolerance, and with numbers beyond 32 bits. Read in
// replica_calculator.go of the releases 1.32 to 1.37, and compared with the controllers of 1.32, 1.36 and 1.37. Pure.
import { MAX_REPLICAS, toInt32 } from './int32.ts'

/** How far a metric may be from its target without a change of the size, as a fraction of the target. */
export interface Tolerances {
  readonly scaleUp: number
  readonly scaleDown: number
}

export interface Arithmetic {
  /** Whether a change to this part of the target is small enough to be ignored. */
  isWithin(ratio: number, tolerances: Tolerances): boolean
  /** The total of an External metric with an average as target, in thousandths. */
  totalOf(usage: number): number
  /** Replicas that an External metric with an average as target asks for. */
  byAverage(replicas: number): number
  /** Replicas that a metric with a value as target asks for. */
  byValue(replicas: number): number
}

/** Since 1.34 the controller takes a negative total for an overflow, and so for the highest number. */
const OVERFLOW = 2 ** 63

/** @param minor of Kubernetes 1.x */
export function arithmeticOf(minor = Number.POSITIVE_INFINITY): Arithmetic {
  return {
    isWithin: minor >= 33 ? isBetween : isNear,
    totalOf: (usage) => (minor >= 34 && usage < 0 ? OVERFLOW : usage),
    byAverage: minor >= 34 ? bounded : toInt32,
    byValue: minor >= 35 ? bounded : toInt32,
  }
}

function isBetween(ratio: number, { scaleUp, scaleDown }: Tolerances): boolean {
  return 1 - scaleDown <= ratio && ratio <= 1 + scaleUp
}

/** The difference is rounded: 1.1 is more than 0.1 away from 1. */
function isNear(ratio: number, { scaleUp, scaleDown }: Tolerances): boolean {
  return Math.abs(1 - ratio) <= (ratio < 1 ? scaleDown : scaleUp)
}

function bounded(replicas: number): number {
  return toInt32(Math.min(replicas, MAX_REPLICAS))
}
