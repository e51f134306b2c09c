// What happened in the last hour, the latest first: changes of the size with their reasons, drains, errors.
import { h } from 'preact'
import { useState } from 'preact/hooks'
import { clockOf } from '../browser/time.ts'
import { EVENT_LOOKS, OTHER_EVENT } from './event-looks.ts'
import type { PastEvent } from './history.ts'

/** Nobody reads more at first. */
const FIRST = 8

export function Changes({ events }: { readonly events: readonly PastEvent[] }) {
  const [isWhole, setWhole] = useState(false)
  const latest = [...events].reverse()
  const shown = isWhole ? latest : latest.slice(0, FIRST)
  const rest = latest.length - shown.length
  return h(
    'section',
    { class: 'card changes', 'aria-labelledby': 'changes' },
    h('h2', { id: 'changes' }, 'What happened'),
    events.length === 0 && h('p', { class: 'empty' }, 'Nothing in the last hour.'),
    h(
      'ol',
      {},
      shown.map(({ at, kind, text }) => {
        const { sign, words } = EVENT_LOOKS.get(kind) ?? OTHER_EVENT
        return h(
          'li',
          { key: `${at} ${kind} ${text}`, class: `change ${kind}` },
          h('time', { datetime: new Date(at * 1000).toISOString() }, clockOf(at)),
          h('span', { class: 'mark', 'aria-hidden': 'true' }, sign),
          h('span', { class: 'hidden' }, `${words}: `),
          h('p', {}, text),
        )
      }),
    ),
    rest > 0 &&
      h(
        'button',
        { type: 'button', class: 'more', onClick: () => setWhole(true) },
        `Show ${rest} more`,
      ),
  )
}
