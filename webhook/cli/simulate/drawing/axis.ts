// Round numbers for the ticks of an axis of time or of a count. Pure.

/** In seconds. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60),
  ...[1, 2, 3, 6, 12, 24].map((hours) => hours * 3_600),
]

/** Ticks in milliseconds from 0 to at most `endMs`, all of them multiples of a round time. */
export function timeTicks(endMs: number, most: number): readonly number[] {
  const step = TIME_STEPS.find((seconds) => endMs / (seconds * 1000) <= most) ?? 86_400
  return ticks(endMs, step * 1000)
}

/** Ticks from 0 to at most `end`, all of them multiples of 1, 2 or 5 times a power of ten. */
export function countTicks(end: number, most: number): readonly number[] {
  for (let power = 1; ; power *= 10) {
    const step = [1, 2, 5].map((digit) => digit * power).find((each) => end / each <= most)
    if (step !== undefined) return ticks(end, step)
  }
}

function ticks(end: number, step: number): readonly number[] {
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step)
}
