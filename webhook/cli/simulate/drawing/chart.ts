// A run as a chart of characters: pods and busy nodes over time, and below them waiting and killed jobs. Pure.

import { formatDuration } from '../duration.ts'
import type { State, Trace } from '../trace.ts'

export interface ChartOptions {
  /** Columns of the plot. */
  readonly columns: number
  readonly rows: number
  /** The ends of the axes, in nodes and in milliseconds: the same for all charts that are compared. */
  readonly maxNodes: number
  readonly endMs: number
}

/** One column of a chart: means over its time, the most jobs that waited, and the number of killed jobs. */
export interface Column {
  readonly pods: number
  readonly room: number
  readonly busy: number
  readonly pending: number
  readonly killed: number
}

const LABEL_WIDTH = 6
const SHADES = { busy: '█', idle: '░', bought: '·' } as const
const HEIGHTS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** The meaning of the characters. */
export const LEGEND = `${SHADES.busy} nodes with jobs  ${SHADES.idle} idle nodes  ✗ a job was killed`

/** The same, where nodes are bought. */
export const BOUGHT_LEGEND = `${LEGEND}  ${SHADES.bought} nodes without a pod`

/** Draws the lines of the chart. */
export function drawChart(trace: Trace, options: ChartOptions): readonly string[] {
  const { rows, maxNodes } = options
  const columns = columnsOf(trace, options)
  const lines: string[] = []
  for (let row = rows; row > 0; row -= 1) {
    const level = ((row - 0.5) * maxNodes) / rows
    const label = row === rows ? String(maxNodes) : ''
    lines.push(`${gutter(label)}┤${columns.map((column) => shadeAt(column, level)).join('')}`)
  }
  lines.push(`${gutter('0')}└${'─'.repeat(options.columns)}`)
  lines.push(`${gutter('')} ${timesBelow(options)}`)
  const most = Math.max(...columns.map(({ pending }) => pending))
  if (most > 0) {
    const waiting = columns.map(({ pending }) => heightOf(pending, most)).join('')
    lines.push(`${gutter('wait')} ${waiting} up to ${most}`)
  }
  if (columns.some(({ killed }) => killed > 0)) {
    lines.push(
      `${gutter('killed')} ${columns.map(({ killed }) => (killed > 0 ? '✗' : ' ')).join('')}`,
    )
  }
  return lines.map((line) => line.trimEnd())
}

/** Divides a run into columns. */
export function columnsOf(
  { states, endMs }: Trace,
  options: Pick<ChartOptions, 'columns' | 'endMs'>,
): readonly Column[] {
  const widthMs = options.endMs / options.columns
  return Array.from({ length: options.columns }, (_, index) => {
    const span = { from: index * widthMs, to: Math.min((index + 1) * widthMs, endMs) }
    return columnOf(states, span)
  })
}

function columnOf(
  states: readonly State[],
  span: { readonly from: number; readonly to: number },
): Column {
  const lengthMs = span.to - span.from
  if (lengthMs <= 0) return { pods: 0, room: 0, busy: 0, pending: 0, killed: 0 }
  const sums = { pods: 0, room: 0, busy: 0 }
  let pending = 0
  let lostBefore: number | undefined
  let lost = 0
  for (const [index, state] of states.entries()) {
    const until = states[index + 1]?.atMs ?? Number.POSITIVE_INFINITY
    if (state.atMs < span.from) lostBefore = state.lost
    const shared = Math.min(until, span.to) - Math.max(state.atMs, span.from)
    if (shared <= 0) continue
    sums.pods += state.pods * shared
    sums.room += state.room * shared
    sums.busy += state.busy * shared
    pending = Math.max(pending, state.pending)
    lost = state.lost
  }
  return {
    pods: sums.pods / lengthMs,
    room: sums.room / lengthMs,
    busy: sums.busy / lengthMs,
    pending,
    killed: Math.max(0, lost - (lostBefore ?? 0)),
  }
}

function shadeAt({ busy, pods, room }: Column, level: number): string {
  if (busy >= level) return SHADES.busy
  if (pods >= level) return SHADES.idle
  return room >= level ? SHADES.bought : ' '
}

function heightOf(value: number, most: number): string {
  return HEIGHTS[Math.ceil((value / most) * (HEIGHTS.length - 1))] ?? ' '
}

function gutter(label: string): string {
  return label.padStart(LABEL_WIDTH)
}

function timesBelow({ columns, endMs }: ChartOptions): string {
  const end = formatDuration(endMs / 1000)
  return `0${end.padStart(columns - 1)}`
}
