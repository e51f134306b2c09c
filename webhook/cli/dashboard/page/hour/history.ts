// The last hour as the page keeps it: what a restarted sidecar has forgotten, this page may have seen. Pure.
import type { ReadExplanation } from '../../../input/cluster/explanation.ts'

export type History = NonNullable<ReadExplanation['history']>
export type PastEvent = History['events'][number]

/** The columns of numbers, in the order in which charts have them. */
export const COLUMNS = ['present', 'desired', 'floor', 'demand', 'running', 'pending'] as const

export type Column = (typeof COLUMNS)[number]

const HOUR_SECONDS = 3_600

/** A wait longer than so many steps is a gap: nothing was read then. */
const GAP_STEPS = 3

/** Adds what was known before to what a sidecar remembers: only what is older than all that it has. */
export function mergeHistory(before: History | undefined, now: History): History {
  const starts = [now.at[0], now.events[0]?.at].filter((at) => at !== undefined)
  if (before === undefined || starts.length === 0) return now
  const cut = Math.min(...starts)
  const since = Math.max(now.at.at(-1) ?? cut, cut) - HOUR_SECONDS
  const isKept = (at: number) => at < cut && at >= since
  const kept = [...before.at.keys()].filter((index) => isKept(before.at[index] ?? cut))
  const join = (column: Column | 'at') => [
    ...kept.map((index) => before[column][index] ?? null),
    ...now[column],
  ]
  return {
    stepSeconds: now.stepSeconds,
    at: [...kept.map((index) => before.at[index] ?? cut), ...now.at],
    present: join('present'),
    desired: join('desired'),
    floor: join('floor'),
    demand: join('demand'),
    running: join('running'),
    pending: join('pending'),
    events: [...before.events.filter(({ at }) => isKept(at)), ...now.events],
  }
}

/** Times and columns with an empty point in each gap, so that no line is drawn across it. */
export function withGaps(history: History): readonly (readonly (number | null)[])[] {
  const { at, stepSeconds } = history
  const rows: (number | null)[][] = []
  for (const [index, time] of at.entries()) {
    const previous = at[index - 1]
    if (previous !== undefined && time - previous > GAP_STEPS * stepSeconds) {
      rows.push([previous + stepSeconds, ...COLUMNS.map(() => null)])
    }
    rows.push([time, ...COLUMNS.map((column) => history[column][index] ?? null)])
  }
  return [0, ...COLUMNS.map((_, index) => index + 1)].map((column) =>
    rows.map((row) => row[column] ?? null),
  )
}

/** A time in which no number was served. */
export interface Outage {
  readonly from: number
  /** `undefined`: it lasts. */
  readonly to: number | undefined
}

export function outagesIn(events: readonly PastEvent[]): readonly Outage[] {
  const outages: Outage[] = []
  let from: number | undefined
  for (const { at, kind } of events) {
    if (kind === 'error') from ??= at
    else if (from !== undefined && (kind === 'recovered' || kind === 'start')) {
      outages.push({ from, to: at })
      from = undefined
    }
  }
  return from === undefined ? outages : [...outages, { from, to: undefined }]
}
