// When an answer came, and whether it is still the present one. Pure, but for the clocks.

/** A time on both clocks of a browser: the steady one stands still while the machine sleeps, the other one may be set. */
export interface Moment {
  readonly steady: number
  readonly wall: number
}

/** As old as what a sidecar serves may be. So old is an answer after the machine was asleep, or while nobody looked. */
const OLD_SECONDS = 30

/** Between two answers of a slow API server. */
const PATIENCE_SECONDS = 10

export function presentMoment(): Moment {
  return { steady: performance.now(), wall: Date.now() }
}

/** By the clock that says more. */
export function secondsBetween(from: Moment, to: Moment): number {
  return Math.max(0, to.steady - from.steady, to.wall - from.wall) / 1000
}

/**
 * @param seconds since the answer
 * @param age of what is in it, when it came
 */
export function isOld(seconds: number, age = 0): boolean {
  return seconds > Math.max(PATIENCE_SECONDS, OLD_SECONDS - age)
}
