// Numbers of replicas as the HPA controller stores them, in 32 bits. Numbers that do not fit give surprising sizes, as they
// do in the real controller.

const MIN = -(2 ** 31)
const MAX = 2 ** 31 - 1

/** The highest number of replicas. */
export const MAX_REPLICAS = MAX

/**
 * Rounds towards zero. A number that does not fit becomes the lowest one (on amd64; arm64 saturates), so a huge
 * recommendation has no effect.
 */
export function toInt32(value: number): number {
  const whole = Math.trunc(value)
  return whole >= MIN && whole <= MAX ? whole + 0 : MIN
}

/** Adds; a sum that does not fit wraps around. */
export function addInt32(one: number, other: number): number {
  return (one + other) | 0
}
