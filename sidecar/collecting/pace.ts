// How often Flux is read: soon after a change, often enough to know, and for no more than a small share of the broker's time
// unless what we know would get too old. Pure.

/** All in milliseconds. */
export interface Pace {
  /** After a change we read at once, but not more often than this. */
  readonly minIntervalMs: number
  /** Without a change we read this often while streams tell us of changes … */
  readonly streamingIntervalMs: number
  /** … and this often where they do not. */
  readonly pollingIntervalMs: number
  /** The next reading waits at least this many times as long as one takes: 20 is 5 % of the broker's time. */
  readonly costFactor: number
  /** Deadline of a call. Fluxion before 0.37 took 5 s for 10,000 nodes at worst. */
  readonly callTimeoutMs: number
  /** A snapshot is served for so long after its reading began. */
  readonly maxAgeMs: number
}

export const DEFAULT_PACE: Pace = {
  minIntervalMs: 250,
  streamingIntervalMs: 10_000,
  pollingIntervalMs: 2_000,
  costFactor: 20,
  callTimeoutMs: 10_000,
  maxAgeMs: 30_000,
}

/** How long the last readings took, and whether streams tell of changes. */
export interface Course {
  readonly tookMs: number
  /** The one before; 0 if there was none. */
  readonly tookBeforeMs: number
  readonly streaming: boolean
}

/** A reading may take so much longer than the one before, and what we know still does not get too old. */
const MARGIN_MS = 1_000

/**
 * How long to wait for a change, at least and at most.
 *
 * What a reading costs the broker shows in how long it takes, unless the broker had other work: thousands of jobs that are
 * cancelled at once hold it up for seconds. So one slow reading after a quick one is not taken for its price. It puts off
 * the next as long as is usual without a change.
 *
 * A size that is not known holds the HPA. So the next reading ends before the last one is too old to be served, also if
 * readings take more than 5 % of the broker's time then, as long as they leave it half of the time.
 */
export function waitingTime(pace: Pace, course: Course): readonly [minMs: number, maxMs: number] {
  const { tookMs, tookBeforeMs, streaming } = course
  const limitMs = Math.max(pace.minIntervalMs, longestPause(pace, course))
  const costMs = pace.costFactor * tookMs
  const usualMs = Math.max(pace.costFactor * tookBeforeMs, pace.streamingIntervalMs)
  const minMs = Math.max(pace.minIntervalMs, Math.min(costMs, usualMs))
  const maxMs = Math.max(minMs, streaming ? pace.streamingIntervalMs : pace.pollingIntervalMs)
  return [Math.min(minMs, limitMs), Math.min(maxMs, limitMs)]
}

/** The pause after which a reading that takes as long as is usual ends before the last one is too old. */
function longestPause({ maxAgeMs }: Pace, { tookMs, tookBeforeMs }: Course): number {
  const nextMs = tookBeforeMs === 0 ? tookMs : Math.min(tookMs, tookBeforeMs)
  const freshMs = maxAgeMs - tookMs - nextMs - MARGIN_MS
  return freshMs >= tookMs ? freshMs : maxAgeMs - tookMs
}
