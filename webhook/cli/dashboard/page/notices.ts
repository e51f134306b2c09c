// Warnings with their cures, and values that are not known.
import { h } from 'preact'
import type { ReadNotice } from '../../input/cluster/explanation.ts'

interface NoticesProps {
  readonly warnings: readonly ReadNotice[]
  readonly unknowns: readonly ReadNotice[]
}

export function Notices({ warnings, unknowns }: NoticesProps) {
  if (warnings.length + unknowns.length === 0) return null
  return h(
    'section',
    { class: 'card notices', 'aria-labelledby': 'notices' },
    h(
      'h2',
      { id: 'notices' },
      'Warnings',
      h('span', { class: 'count' }, ` ${warnings.length + unknowns.length}`),
    ),
    h(
      'ul',
      {},
      warnings.map(({ text }) => notice('warning', '!', 'Warning', text)),
      unknowns.map(({ text }) => notice('unknown', '?', 'Not known', text)),
    ),
  )
}

/** What it is about stands before the first colon, the cure after it. */
function notice(kind: string, mark: string, label: string, text: string) {
  const [, subject = '', rest = text] = /^(.*?:)\s(.*)$/s.exec(text) ?? []
  return h(
    'li',
    { class: `notice ${kind}`, key: `${kind} ${text}` },
    h('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
    h(
      'p',
      {},
      h('span', { class: 'hidden' }, `${label}: `),
      subject !== '' && h('b', {}, subject),
      ` ${rest}`,
    ),
  )
}
