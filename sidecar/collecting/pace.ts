// How often Flux is read: soon after a change, often enough to know, and never for more than a small share of the broker's
// time. Pure.

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
}

export const DEFAULT_PACE: Pace = {
  minIntervalMs: 250,
  streamingIntervalMs: 10_000,
  pollingIntervalMs: 2_000,
  costFactor: 20,
  callTimeoutMs: 10_000,
}

/** How long the last readings took, and whether streams tell of changes. */
export interface Course {
  readonly tookMs: number
  /** The one before; 0 if there was none. */
  readonly tookBeforeMs: number
  readonly streaming: boolean
}

/**
 * How long to wait for a change, at least and at most.
 *
 * What a reading costs the broker shows in how long it takes, unless the broker had other work: thousands of jobs that are
 * cancelled at once hold it up for seconds. So one slow reading after a quick one is not taken for its price. It puts off
 * the next as long as is usual without a change, and not until what we know is too old to be served.
 */
export function waitingTime(
  pace: Pace,
  { tookMs, tookBeforeMs, streaming }: Course,
): readonly [minMs: number, maxMs: number] {
  const costMs = pace.costFactor * tookMs
  const usualMs = Math.max(pace.costFactor * tookBeforeMs, pace.streamingIntervalMs)
  const minMs = Math.max(pace.minIntervalMs, Math.min(costMs, usualMs))
  return [minMs, Math.max(minMs, streaming ? pace.streamingIntervalMs : pace.pollingIntervalMs)]
}
