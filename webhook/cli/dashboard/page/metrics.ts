// The value of each metric, and the HPA that uses it.
import { h } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { ReadExplanation } from '../../input/cluster/explanation.ts'
import type { HpaState, Subject } from '../data.ts'
import { addressOf, ask, LOST } from './browser/asking.ts'

type Metric = NonNullable<ReadExplanation['metrics']>[number]

interface MetricsProps {
  readonly metrics: readonly Metric[]
  readonly subject: Subject | null
}

/** The size that the jobs need: what an HPA should follow. */
const RECOMMENDED = 'node_desired_count'

export function Metrics({ metrics, subject }: MetricsProps) {
  const [wanted, setWanted] = useState('')
  const [open, setOpen] = useState<string | null>(null)
  const isWanted = ({ name, help }: Metric) => `${name} ${help}`.toLowerCase().includes(wanted)
  const sorted = [...metrics].sort(
    (one, other) => Number(other.name === RECOMMENDED) - Number(one.name === RECOMMENDED),
  )
  const shown = sorted.filter(isWanted)
  return h(
    'section',
    { class: 'card metrics', 'aria-labelledby': 'metrics' },
    h(
      'div',
      { class: 'head' },
      h('h2', { id: 'metrics' }, 'Metrics', h('span', { class: 'count' }, ` ${metrics.length}`)),
      h('input', {
        type: 'search',
        placeholder: 'Find a metric',
        'aria-label': 'Find a metric',
        value: wanted,
        onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) =>
          setWanted(currentTarget.value.toLowerCase()),
      }),
    ),
    h(
      'ul',
      { tabindex: 0, 'aria-label': 'Metrics' },
      shown.map((metric) =>
        h(Row, {
          key: metric.name,
          metric,
          subject,
          isOpen: metric.name === open,
          toggle: () => setOpen(metric.name === open ? null : metric.name),
        }),
      ),
    ),
    shown.length === 0 && h('p', { class: 'empty' }, 'No metric has this in its name or meaning.'),
  )
}

interface RowProps {
  readonly metric: Metric
  readonly subject: Subject | null
  readonly isOpen: boolean
  readonly toggle: () => void
}

function Row({ metric, subject, isOpen, toggle }: RowProps) {
  const { name, help, unit, value, reason } = metric
  return h(
    'li',
    { class: name === RECOMMENDED ? 'metric recommended' : 'metric' },
    h('code', {}, name),
    value === null
      ? h('span', { class: 'value none' }, 'not known')
      : h(
          'span',
          { class: 'value' },
          new Intl.NumberFormat('en', { maximumFractionDigits: 3 }).format(value),
          h('span', { class: 'unit' }, ` ${unit}`),
        ),
    h(
      'button',
      { type: 'button', class: 'quiet', 'aria-expanded': isOpen, onClick: toggle },
      'HPA',
      h('span', { class: 'hidden' }, ` for ${name}`),
    ),
    h('p', {}, help, reason !== null && h('span', { class: 'why' }, ` Not known: ${reason}.`)),
    isOpen && h(Snippet, { metric: name, subject }),
  )
}

function Snippet({
  metric,
  subject,
}: {
  readonly metric: string
  readonly subject: Subject | null
}) {
  const [state, setState] = useState<HpaState>()
  const [isCopied, setCopied] = useState(false)
  useEffect(() => {
    const stop = new AbortController()
    ask<HpaState>(addressOf('hpa', subject, metric), stop.signal).then(setState, () =>
      setState({ kind: 'unknown', reason: LOST }),
    )
    return () => stop.abort()
  }, [metric])
  if (state === undefined) return h('p', { class: 'snippet' }, 'Asking …')
  if (state.kind === 'unknown') return h('p', { class: 'snippet why' }, state.reason)
  const { yaml } = state
  const copy = () => void navigator.clipboard.writeText(yaml).then(() => setCopied(true))
  return h(
    'div',
    { class: 'snippet' },
    h('button', { type: 'button', class: 'quiet', onClick: copy }, isCopied ? 'Copied' : 'Copy'),
    h('pre', { tabindex: 0, 'aria-label': `HPA for ${metric}` }, yaml),
  )
}
