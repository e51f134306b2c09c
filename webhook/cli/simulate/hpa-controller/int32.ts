// Numbers of replicas as the HPA controller holds them: 32 bits. Where they do not suffice, it does what no one expects.

const MIN = -(2 ** 31)
const MAX = 2 ** 31 - 1

/** The most replicas there can be. */
export const MAX_REPLICAS = MAX

/**
 * A whole number from a fraction, towards zero. What does not fit is the lowest there is (on amd64; arm64 saturates),
 * so that a huge recommendation means none.
 */
export function toInt32(value: number): number {
  const whole = Math.trunc(value)
  return whole >= MIN && whole <= MAX ? whole + 0 : MIN
}

/** A sum, which wraps around. */
export function addInt32(one: number, other: number): number {
  return (one + other) | 0
}
