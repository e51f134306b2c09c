// The last hour: nodes above, jobs below, and the numbers at the time that is pointed at, with the mouse or with the arrow keys.
import { h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useThemeChanges } from '../browser/theme.ts'
import { clockOf } from '../browser/time.ts'
import { useWidth } from '../browser/width.ts'
import { type Chart, createChart, dataOf, JOB_LINES, type Line, NODE_LINES } from './chart.ts'
import { type Column, type History, withGaps } from './history.ts'

const HEIGHTS = { nodes: 210, jobs: 130 }

interface LastHourProps {
  readonly history: History
  /** Whether its last numbers are those of now. */
  readonly isLive: boolean
}

export function LastHour({ history, isLive }: LastHourProps) {
  const [width, ref] = useWidth()
  const nodes = useRef<HTMLDivElement>(null)
  const jobs = useRef<HTMLDivElement>(null)
  const charts = useRef<readonly (readonly [Chart, readonly Line[]])[]>([])
  const latest = useRef(history)
  latest.current = history
  const [index, setIndex] = useState<number | null>(null)
  const theme = useThemeChanges()

  useEffect(() => {
    if (nodes.current === null || jobs.current === null) return
    const shared = { history: () => latest.current, onCursor: setIndex }
    const upper = createChart(nodes.current, {
      ...{ ...shared, lines: NODE_LINES, height: HEIGHTS.nodes },
      ...{ hasTimes: false, hasSigns: true },
    })
    const lower = createChart(jobs.current, {
      ...{ ...shared, lines: JOB_LINES, height: HEIGHTS.jobs },
      ...{ hasTimes: true, hasSigns: false },
    })
    charts.current = [
      [upper, NODE_LINES],
      [lower, JOB_LINES],
    ]
    return () => {
      upper.destroy()
      lower.destroy()
      charts.current = []
    }
  }, [theme])
  useEffect(() => {
    for (const [chart, lines] of charts.current) chart.setData(dataOf(history, lines))
  }, [history])
  useEffect(() => {
    for (const [chart] of charts.current) {
      chart.setSize({ width, height: chart.height })
    }
  }, [width, theme])

  const rows = withGaps(history)
  const last = (rows[0]?.length ?? 0) - 1
  const shown = Math.min(index ?? last, last)
  const press = (event: KeyboardEvent) => {
    const to = indexAfter(event.key, shown, last)
    if (to === undefined) return
    event.preventDefault()
    setIndex(to)
    for (const [chart] of charts.current) {
      const left = chart.valToPos(rows[0]?.[to] ?? 0, 'x')
      chart.setCursor({ left, top: 10 }, false)
    }
  }
  const told = readAt(rows, shown)
  const values = index === null && !isLive ? NOT_KNOWN : told.values
  return h(
    'section',
    { class: 'card hour', 'aria-labelledby': 'hour' },
    h(
      'div',
      { class: 'head' },
      h('h2', { id: 'hour' }, 'The last hour'),
      h('p', { class: 'at' }, index === null ? (isLive ? 'now' : 'not known now') : told.time),
    ),
    h(
      'div',
      {
        class: 'charts',
        ref,
        role: 'slider',
        tabindex: 0,
        'aria-label': 'Time in the last hour',
        'aria-valuemin': 0,
        'aria-valuemax': Math.max(0, last),
        'aria-valuenow': Math.max(0, shown),
        'aria-valuetext': `${told.time}: ${told.words}`,
        onKeyDown: press,
      },
      h(Key, { lines: NODE_LINES, unit: 'nodes', values }),
      h('div', { ref: nodes, class: 'chart nodes' }),
      h(Key, { lines: JOB_LINES, unit: 'jobs', values }),
      h('div', { ref: jobs, class: 'chart jobs' }),
    ),
  )
}

function indexAfter(key: string, index: number, last: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    PageUp: -10,
    PageDown: 10,
    Home: -last,
    End: last,
  }
  const step = steps[key]
  return step === undefined ? undefined : Math.min(last, Math.max(0, index + step))
}

type Values = ReadonlyMap<Column, number | null>

const NOT_KNOWN: Values = new Map()

const ORDER: readonly Column[] = ['present', 'desired', 'floor', 'demand', 'running', 'pending']

/** The numbers of one time. */
function readAt(rows: readonly (readonly (number | null)[])[], index: number) {
  const [times = [], ...columns] = rows
  const values: Values = new Map(
    ORDER.map((column, place) => [column, columns[place]?.[index] ?? null] as const),
  )
  const words = [...NODE_LINES, ...JOB_LINES]
    .map(({ column, words: name }) => `${name} ${values.get(column) ?? 'not known'}`)
    .join(', ')
  const time = times[index]
  return { time: time === undefined || time === null ? '' : clockOf(time), values, words }
}

interface KeyProps {
  readonly lines: readonly Line[]
  readonly unit: string
  readonly values: Values
}

/** What each line is, and its number. */
function Key({ lines, unit, values }: KeyProps) {
  return h(
    'p',
    { class: 'key', 'aria-hidden': 'true' },
    h('span', { class: 'unit' }, unit),
    lines.map(({ column, words, dash, width, isFilled }) =>
      h(
        'span',
        { key: column, class: 'line' },
        h(
          'svg',
          { width: 26, height: 12, class: column },
          isFilled && h('path', { class: 'fill', d: 'M0 6h26v6h-26z' }),
          h('path', {
            class: 'stroke',
            d: 'M0 6h26',
            'stroke-width': width,
            'stroke-dasharray': dash.join(' '),
          }),
        ),
        ` ${words} `,
        h('b', {}, values.get(column) ?? '–'),
      ),
    ),
  )
}
