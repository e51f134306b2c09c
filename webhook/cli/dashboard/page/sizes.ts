// The answer at a glance: the size that is wanted, the size that is there, and why.
import { h } from 'preact'
import type { ReadExplanation } from '../../input/cluster/explanation.ts'
import { headlineOf } from './view.ts'

interface SizesProps {
  readonly explanation: ReadExplanation
  readonly hpas: readonly string[] | null
}

export function Sizes({ explanation, hpas }: SizesProps) {
  const { present, desired, floor, demand, maximum, reasons } = explanation
  const direction =
    desired === null ? 'odd' : desired > present ? 'up' : desired < present ? 'down' : 'level'
  return h(
    'section',
    { class: `card sizes ${direction}`, 'aria-labelledby': 'headline' },
    h(
      'div',
      { class: 'answer' },
      h(
        'h2',
        { id: 'headline', 'aria-live': 'polite' },
        h('span', { class: 'arrow', 'aria-hidden': 'true' }, ARROWS[direction]),
        headlineOf(explanation),
      ),
      h(
        'ul',
        { class: 'reasons' },
        reasons.map(({ text }) => h('li', { key: text, class: 'reason-line' }, text)),
      ),
      hpas?.map((line) => h('p', { class: 'hpa', key: line }, h('b', {}, 'HPA'), ` ${line}`)),
    ),
    h(
      'dl',
      { class: 'figures' },
      figure('present', present, 'up to the highest rank online'),
      figure('desired', desired, 'what an HPA is told'),
      figure('floor', floor, 'up to the highest busy rank'),
      figure('demand', demand, 'with all waiting jobs'),
      figure('maximum', maximum, 'all ranks of R'),
    ),
  )
}

const ARROWS = { up: '▲', down: '▼', level: '=', odd: '?' } as const

function figure(name: string, value: number | null, meaning: string) {
  return h(
    'div',
    { class: `figure ${name}`, key: name },
    h('dt', {}, name),
    h(
      'dd',
      {},
      h('span', { class: value === null ? 'number none' : 'number' }, value ?? 'unknown'),
      h('span', { class: 'meaning' }, meaning),
    ),
  )
}
