// The text that `flux-metrics simulate` prints: a chart for each HPA, and a table that compares them. Pure.
import { formatTable } from '../output/table.ts'
import { drawChart, LEGEND } from './chart.ts'
import { formatDuration } from './duration.ts'
import type { HpaSpec } from './hpa-controller/spec.ts'
import type { NamedHpa } from './hpa-source.ts'
import type { Panel, PictureOptions } from './svg.ts'
import type { Trace } from './trace.ts'

const PLOT = { columns: 66, rows: 8 } as const

const TABLE_HEAD = [
  'HPA',
  'completed',
  'killed',
  'unfinished',
  'mean wait',
  'longest',
  'node-hours',
  'busy',
  'done',
] as const

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

export function formatComparison(panels: readonly Panel[], scale: PictureOptions): string {
  const charts = panels.flatMap(({ title, trace }) => [
    title,
    ...drawChart(trace, { ...PLOT, ...scale }),
    '',
  ])
  const table = formatTable(
    TABLE_HEAD,
    panels.map(({ title, trace }) => [title.split(':')[0] ?? '', ...cellsOf(trace)]),
  )
  return `${[...charts, LEGEND, '', ...table].join('\n')}\n`
}

function cellsOf({ summary }: Trace): readonly string[] {
  const { nodeHours, busyNodeHours, doneAfter } = summary
  return [
    String(summary.completed),
    String(summary.killed),
    String(summary.unfinished),
    formatDuration(summary.meanWait),
    formatDuration(summary.longestWait),
    nodeHours.toFixed(2),
    nodeHours === 0 ? '-' : `${Math.round((busyNodeHours / nodeHours) * 100)} %`,
    doneAfter === undefined ? 'never' : formatDuration(doneAfter),
  ]
}
