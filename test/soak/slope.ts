// Judges whether a figure of a process grows with its work: a line through the samples after the warm-up, and how far they
// are from it.

/** One sample: how much work was done, and the figure then. */
export interface Point {
  readonly work: number
  readonly value: number
}

export interface Verdict {
  /** How much the line rises from the end of the warm-up to the end of the work. */
  readonly growth: number
  /** How much of it may be chance: three standard errors. */
  readonly noise: number
  readonly leaks: boolean
}

/** The share of the samples that belong to the warm-up: caches fill, code is compiled, the heap finds its size. */
const WARM_UP = 0.4

const STANDARD_ERRORS = 3

const LEAST_POINTS = 8

/**
 * @param tolerance the growth that is not a leak however sure it is, because figures are steps
 * @throws Error if there are too few samples to tell
 */
export function judge(points: readonly Point[], tolerance: number): Verdict {
  const warm = points.slice(Math.floor(points.length * WARM_UP))
  if (warm.length < LEAST_POINTS) {
    throw new Error(`Cannot judge ${warm.length} samples: expected at least ${LEAST_POINTS}`)
  }
  const meanWork = mean(warm.map(({ work }) => work))
  const meanValue = mean(warm.map(({ value }) => value))
  const spread = sum(warm.map(({ work }) => (work - meanWork) ** 2))
  const slope = sum(warm.map(({ work, value }) => (work - meanWork) * (value - meanValue))) / spread
  const errors = warm.map(({ work, value }) => value - meanValue - slope * (work - meanWork))
  const variance = sum(errors.map((error) => error ** 2)) / (warm.length - 2)
  const range = (warm.at(-1)?.work ?? 0) - (warm[0]?.work ?? 0)
  const growth = slope * range
  const noise = STANDARD_ERRORS * Math.sqrt(variance / spread) * range
  return { growth, noise, leaks: growth > tolerance && growth > noise }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length
}
