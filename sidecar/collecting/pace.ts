// Computes how long to wait between readings: short after a change, limited without one, and always long enough to take
// only a small share of the broker's time. Pure.

/** Times are in milliseconds. */
export interface Pace {
  /** The least time between readings, also after a change. */
  readonly minIntervalMs: number
  /** The time between readings without a change, while streams report changes … */
  readonly streamingIntervalMs: number
  /** … and while they do not. */
  readonly pollingIntervalMs: number
  /** The next reading waits at least this factor times the duration of a reading: 20 is 5 % of the broker's time. */
  readonly costFactor: number
  /** Deadline of a call. Fluxion before 0.37 took 5 s for 10,000 nodes at worst. */
  readonly callTimeoutMs: number
  /** How long a snapshot is served after its reading began. */
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

/** The durations of the last two readings, and whether streams report changes. */
export interface ReadingCost {
  readonly tookMs: number
  /** How long it took to work out what follows from the last one: it delays what the reading is for as the reading does. */
  readonly followedMs: number
  /** The duration of the reading before; 0 if there was none. */
  readonly tookBeforeMs: number
  readonly streaming: boolean
}

/** A reading may take this much longer than the one before, and the snapshot still does not get too old. */
const MARGIN_MS = 1_000

/**
 * The least and the longest time to wait for a change.
 *
 * The duration of a reading shows its cost for the broker, unless the broker had other work: thousands of jobs that are
 * cancelled at once delay it for seconds. So one slow reading after a quick one does not count as its cost: it delays the
 * next reading only as long as is usual without a change.
 *
 * An unknown size holds the HPA. So the next reading ends before the last one is too old to be served. Readings may then take
 * more than 5 % of the broker's time, as long as they leave it half of the time.
 */
export function waitingTime(
  pace: Pace,
  { tookMs: readMs, followedMs, ...before }: ReadingCost,
): readonly [minMs: number, maxMs: number] {
  const tookMs = readMs + followedMs
  const cost = { tookMs, ...before }
  const { tookBeforeMs, streaming } = cost
  const limitMs = Math.max(pace.minIntervalMs, longestPause(pace, cost))
  const costMs = pace.costFactor * tookMs
  const usualMs = Math.max(pace.costFactor * tookBeforeMs, pace.streamingIntervalMs)
  const minMs = Math.max(pace.minIntervalMs, Math.min(costMs, usualMs))
  const maxMs = Math.max(minMs, streaming ? pace.streamingIntervalMs : pace.pollingIntervalMs)
  return [Math.min(minMs, limitMs), Math.min(maxMs, limitMs)]
}

/** The pause after which a reading of the usual duration ends before the last snapshot is too old. */
function longestPause(
  { maxAgeMs }: Pace,
  { tookMs, tookBeforeMs }: Pick<ReadingCost, 'tookMs' | 'tookBeforeMs'>,
): number {
  const nextMs = tookBeforeMs === 0 ? tookMs : Math.min(tookMs, tookBeforeMs)
  const freshMs = maxAgeMs - tookMs - nextMs - MARGIN_MS
  return freshMs >= tookMs ? freshMs : maxAgeMs - tookMs
}
