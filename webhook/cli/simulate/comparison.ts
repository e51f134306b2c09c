// The text that `flux-metrics simulate` prints: a chart for each HPA, and a table that compares them. Pure.

import type { HpaSpec } from '../hpa-controller/spec.ts'
import { formatTable } from '../output/table.ts'
import { BOUGHT_LEGEND, drawChart, LEGEND } from './drawing/chart.ts'
import { hasSpareNodes, type Panel, type PictureOptions } from './drawing/svg.ts'
import { formatDuration } from './duration.ts'
import type { NamedHpa } from './input/hpa-source.ts'
import type { Summary, Trace } from './trace.ts'

const ROWS = 8

/** Columns for what is beside the plot: the scale on the left, and how many jobs wait on the right. */
const BESIDE = 20
const NARROWEST = 20

/** The width of a text that goes to a file. */
const DEFAULT_WIDTH = 80

interface Column {
  readonly title: string
  readonly cellOf: (summary: Summary) => string
  /** Shown only if it is not 0 for every HPA. */
  readonly count?: (summary: Summary) => number
}

function countColumn(title: string, count: (summary: Summary) => number): Column {
  return { title, cellOf: (summary) => String(count(summary)), count }
}

const COLUMNS: readonly Column[] = [
  { title: 'completed', cellOf: ({ completed }) => String(completed) },
  { title: 'killed', cellOf: ({ killed }) => String(killed) },
  { title: 'unfinished', cellOf: ({ unfinished }) => String(unfinished) },
  countColumn('canceled', ({ canceled }) => canceled),
  countColumn('timed out', ({ timedOut }) => timedOut),
  countColumn('refused', ({ refused }) => refused),
  { title: 'mean wait', cellOf: ({ meanWait }) => formatDuration(meanWait) },
  { title: 'longest', cellOf: ({ longestWait }) => formatDuration(longestWait) },
  { title: 'node-hours', cellOf: ({ nodeHours }) => nodeHours.toFixed(2) },
  {
    title: 'bought',
    cellOf: ({ boughtNodeHours }) => boughtNodeHours.toFixed(2),
    count: ({ boughtNodeHours, nodeHours }) => Math.abs(boughtNodeHours - nodeHours),
  },
  {
    title: 'busy',
    cellOf: ({ nodeHours, busyNodeHours }) =>
      nodeHours === 0 ? '-' : `${Math.round((busyNodeHours / nodeHours) * 100)} %`,
  },
  {
    title: 'done',
    cellOf: ({ doneAfter }) => (doneAfter === undefined ? 'never' : formatDuration(doneAfter)),
  },
]

/** The run of an HPA with a title and a summary. */
export function panelOf({ name, spec }: NamedHpa, trace: Trace): Panel {
  return { title: `${name}: ${describeMetrics(spec)}`, note: describeRun(trace), trace }
}

/** `node_up_count, Value 4`. */
function describeMetrics({ metrics }: HpaSpec): string {
  return metrics
    .map((metric) => {
      const { metric: identifier, target } =
        metric.type === 'Object' ? metric.object : metric.external
      return `${identifier.name}, ${target.type} ${target.averageValue ?? target.value ?? '?'}`
    })
    .join('; ')
}

function describeRun({ summary }: Trace): string {
  const { killed, completed, unfinished, nodeHours, meanWait } = summary
  const jobs = `${completed} jobs completed, ${killed} killed, ${unfinished} not finished`
  return `${jobs}; ${nodeHours.toFixed(1)} node-hours; mean wait ${formatDuration(meanWait)}`
}

/** @param width of the terminal; `undefined`: the text goes to a file, and only its charts have a width */
export function formatComparison(
  panels: readonly Panel[],
  scale: PictureOptions,
  width?: number,
): string {
  const columns = Math.max(NARROWEST, (width ?? DEFAULT_WIDTH) - BESIDE)
  const charts = panels.flatMap(({ title, trace }) => [
    title,
    ...drawChart(trace, { columns, rows: ROWS, ...scale }),
    '',
  ])
  const shown = COLUMNS.filter(
    ({ count }) => count === undefined || panels.some(({ trace }) => count(trace.summary) > 0),
  )
  const table = formatTable(
    ['HPA', ...shown.map(({ title }) => title)],
    panels.map(({ title, trace }) => [
      title.split(':')[0] ?? '',
      ...shown.map(({ cellOf }) => cellOf(trace.summary)),
    ]),
    width,
  )
  const legend = panels.some(hasSpareNodes) ? BOUGHT_LEGEND : LEGEND
  return `${[...charts, legend, '', ...table].join('\n')}\n`
}
