// The charts of the last hour, drawn by uPlot: nodes, and jobs on the same time axis. Colours come from the style sheet, each line has
// its own dashes, and what happened is marked.
import uPlot from 'uplot'
import { minuteOf } from '../browser/time.ts'
import { drawEvents, drawOutages } from './chart-marks.ts'
import { type Column, type History, withGaps } from './history.ts'

/** A chart that is drawn. */
export type Chart = uPlot

export interface Line {
  readonly column: Column
  readonly words: string
  /** Lengths of dashes and gaps; empty for a whole line. */
  readonly dash: readonly number[]
  readonly width: number
  readonly isFilled: boolean
}

export const NODE_LINES: readonly Line[] = [
  { column: 'present', words: 'present', dash: [], width: 1.5, isFilled: true },
  { column: 'floor', words: 'floor', dash: [2, 3], width: 1.5, isFilled: false },
  { column: 'demand', words: 'demand', dash: [7, 4], width: 1.5, isFilled: false },
  { column: 'desired', words: 'desired', dash: [], width: 2.5, isFilled: false },
]

export const JOB_LINES: readonly Line[] = [
  { column: 'running', words: 'running', dash: [], width: 1.5, isFilled: true },
  { column: 'pending', words: 'waiting', dash: [7, 4], width: 2, isFilled: false },
]

export interface ChartOptions {
  readonly lines: readonly Line[]
  readonly height: number
  /** Whether it has the times below. */
  readonly hasTimes: boolean
  /** Whether it has the signs of what happened above. */
  readonly hasSigns: boolean
  readonly history: () => History
  /** The index of the point at the cursor. */
  readonly onCursor: (index: number | null) => void
}

/** At least so much is shown, so that the first minutes are not a needle. */
const LEAST_SECONDS = 120
const HOUR_SECONDS = 3_600

/** The times that are shown: all that is known, up to an hour. */
export function rangeOf({ at }: History): [number, number] {
  const last = at.at(-1) ?? 0
  const first = Math.max(at[0] ?? last, last - HOUR_SECONDS)
  return [Math.min(first, last - LEAST_SECONDS), last]
}

/** Columns as uPlot has them: the times, then the lines. */
export function dataOf(history: History, lines: readonly Line[]): uPlot.AlignedData {
  const [times = [], ...columns] = withGaps(history)
  const order: readonly Column[] = ['present', 'desired', 'floor', 'demand', 'running', 'pending']
  return [
    times.map((time) => time ?? 0),
    ...lines.map(({ column }) => [...(columns[order.indexOf(column)] ?? [])]),
  ]
}

const SYNC = 'last-hour'

/** Between two times below the chart, in seconds: whole minutes, because no seconds stand there. */
const TIME_STEPS = [60, 120, 300, 600, 900, 1_800]

export function createChart(box: HTMLElement, options: ChartOptions): uPlot {
  const { lines, height, hasTimes, hasSigns, history, onCursor } = options
  const colour = (name: string) => getComputedStyle(box).getPropertyValue(`--${name}`).trim()
  const stepped = uPlot.paths.stepped?.({ align: 1 })
  const font = '12px system-ui, sans-serif'
  return new uPlot(
    {
      width: box.clientWidth,
      height,
      legend: { show: false },
      padding: [hasSigns ? 16 : 8, 8, 0, 0],
      cursor: { sync: { key: SYNC }, y: false, drag: { x: false, y: false } },
      scales: {
        x: { time: true, range: () => rangeOf(history()) },
        y: { range: (_, __, most) => [0, Math.max(2, Math.ceil((most || 1) * 1.15))] },
      },
      axes: [
        {
          show: true,
          size: hasTimes ? 28 : 6,
          font,
          stroke: () => colour('muted'),
          grid: { stroke: () => colour('grid'), width: 1 },
          ticks: { show: false },
          incrs: [...TIME_STEPS],
          values: (_, times) => (hasTimes ? times.map(minuteOf) : times.map(() => '')),
        },
        {
          size: 40,
          font,
          stroke: () => colour('muted'),
          grid: { stroke: () => colour('grid'), width: 1 },
          ticks: { show: false },
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000],
        },
      ],
      series: [
        {},
        ...lines.map(({ column, words, dash, width, isFilled }) => ({
          label: words,
          width,
          dash: [...dash],
          stroke: () => colour(`line-${column}`),
          ...(isFilled && { fill: () => colour(`fill-${column}`) }),
          ...(stepped !== undefined && { paths: stepped }),
          points: { show: false },
          spanGaps: false,
        })),
      ],
      hooks: {
        drawClear: [(plot) => drawOutages(plot, history(), colour)],
        draw: [(plot) => drawEvents(plot, history(), { colour, hasSigns })],
        setCursor: [({ cursor }) => onCursor(cursor.idx ?? null)],
      },
    },
    dataOf(history(), lines),
    box,
  )
}
