// The MiniClusters that the user may see: size, wanted size, waiting jobs, health. Each leads to its own page.
import { h } from 'preact'
import { useState } from 'preact/hooks'
import type { ListState } from '../data.ts'
import type { ReadRow } from '../overview.ts'
import { addressOf, LOST, OLD, useAnswers, useNow } from './browser/asking.ts'
import { isOld, presentMoment, secondsBetween } from './browser/moment.ts'
import { hashOf } from './browser/route.ts'

/** A search for fewer would only be in the way. */
const MANY = 8

export function ListView() {
  const [told, setTold] = useState<ListState>()
  const [at, setAt] = useState(presentMoment)
  const [wanted, setWanted] = useState('')
  useAnswers<ListState>(addressOf('list', null), (asked) => {
    setTold(asked.answer ?? { kind: 'unknown', reason: LOST })
    setAt(asked.at)
  })
  const now = useNow()
  const isGone = told?.kind === 'known' && isOld(secondsBetween(at, now))
  const state: ListState | undefined = isGone ? { kind: 'unknown', reason: OLD } : told
  return h(
    'div',
    { class: 'list' },
    h('div', { class: 'title' }, h('h1', {}, 'MiniClusters')),
    state === undefined && h('p', { class: 'first', role: 'status' }, 'Asking …'),
    state?.kind === 'unknown' &&
      h(
        'section',
        { class: 'card outage', role: 'alert' },
        h('h2', {}, 'Not known'),
        h('p', {}, 'because ', h('span', { class: 'reason' }, state.reason)),
        h(
          'p',
          { class: 'hint' },
          'A list needs the gateway, and permission to get miniclusters.flux-framework.org/explain. With a name, the page shows one MiniCluster: flux-metrics dashboard NAME.',
        ),
      ),
    state?.kind === 'known' && h(Table, { state, wanted, setWanted }),
  )
}

interface TableProps {
  readonly state: ListState & { readonly kind: 'known' }
  readonly wanted: string
  readonly setWanted: (text: string) => void
}

function Table({ state: { overview, note }, wanted, setWanted }: TableProps) {
  const { miniclusters, more } = overview
  const shown = miniclusters.filter(({ namespace, minicluster }) =>
    `${namespace}/${minicluster}`.includes(wanted),
  )
  const most = Math.max(1, ...miniclusters.map(sizeOf))
  return h(
    'section',
    { class: 'card', 'aria-label': 'MiniClusters' },
    note !== null && h('p', { class: 'note' }, note),
    miniclusters.length >= MANY &&
      h('input', {
        type: 'search',
        placeholder: 'Find a MiniCluster',
        'aria-label': 'Find a MiniCluster',
        value: wanted,
        onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) =>
          setWanted(currentTarget.value),
      }),
    miniclusters.length === 0
      ? h('p', { class: 'empty' }, 'No MiniCluster has a sidecar.')
      : h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ['MiniCluster', 'Nodes', 'Wanted', 'Waiting', 'Health'].map((head) =>
                h('th', { scope: 'col', key: head }, head),
              ),
            ),
          ),
          h(
            'tbody',
            {},
            shown.map((row) => rowOf(row, most)),
          ),
        ),
    more > 0 &&
      h('p', { class: 'more' }, `and ${more} more: list those of a namespace with -n NAMESPACE`),
  )
}

function sizeOf(row: ReadRow): number {
  return 'reason' in row ? 0 : Math.max(row.present, row.desired ?? 0)
}

function rowOf(row: ReadRow, most: number) {
  const { namespace, minicluster: name } = row
  const link = h(
    'th',
    { scope: 'row', 'data-label': 'MiniCluster' },
    h('a', { href: hashOf({ namespace, name }) }, name),
    h('span', { class: 'namespace' }, namespace),
  )
  const key = `${namespace}/${name}`
  if ('reason' in row) {
    return h(
      'tr',
      { key, class: 'lost' },
      link,
      h(
        'td',
        { colspan: 4, 'data-label': 'Health' },
        health('lost', '✕', `Not known: ${row.reason}`),
      ),
    )
  }
  const { present, desired, pending, problems, problem } = row
  const arrow = desired === null || desired === present ? '' : desired > present ? '▲ ' : '▼ '
  return h(
    'tr',
    { key },
    link,
    h('td', { class: 'nodes', 'data-label': 'Nodes' }, bar(row, most), ` ${present}`),
    h(
      'td',
      { class: 'nodes', 'data-label': 'Wanted' },
      desired === null ? 'not known' : `${arrow}${desired}`,
    ),
    h('td', { class: 'nodes', 'data-label': 'Waiting' }, waiting(pending)),
    h(
      'td',
      { 'data-label': 'Health' },
      problem === null
        ? health('fine', '✓', 'no warning')
        : health(
            'warning',
            '!',
            `${problems > 1 ? `${problems} warnings, the first: ` : ''}${problem}`,
          ),
    ),
  )
}

function waiting(pending: number | null): string {
  if (pending === null) return 'not known'
  return pending === 1 ? '1 job' : `${pending} jobs`
}

function health(kind: string, sign: string, text: string) {
  return h(
    'span',
    { class: `health ${kind}` },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, sign),
    h('span', {}, text),
  )
}

const BAR = { width: 80, height: 12 }

/** The nodes that are there, and a line at the size that is wanted. */
function bar(row: ReadRow, most: number) {
  if ('reason' in row) return null
  const scale = (BAR.width - 2) / most
  return h(
    'svg',
    { class: 'bar', width: BAR.width, height: BAR.height, 'aria-hidden': 'true' },
    h('rect', { class: 'all', width: BAR.width, height: BAR.height, rx: 2 }),
    h('rect', { class: 'present', width: row.present * scale, height: BAR.height, rx: 2 }),
    row.desired !== null &&
      h('path', { class: 'boundary', d: `M${row.desired * scale} 0v${BAR.height}` }),
  )
}
