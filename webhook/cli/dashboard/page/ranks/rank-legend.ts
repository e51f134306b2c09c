// What each look in the picture of the ranks means, how many ranks have it, and which.
import { h } from 'preact'
import { square } from './rank-grid.ts'
import { LOOKS, UNKNOWN_LOOK } from './rank-looks.ts'
import type { RanksModel, StateOfRanks } from './ranks-model.ts'

interface LegendProps {
  readonly model: RanksModel
  readonly desired: number | null
  /** Which ranks go when it shrinks to that; `undefined`: none. */
  readonly going: string | undefined
}

export function Legend({ model, desired, going }: LegendProps) {
  return h(
    'ul',
    { class: 'legend' },
    model.states.map((one) =>
      h('li', { key: one.state, class: 'state' }, sample(one), ' ', words(one)),
    ),
    desired !== null &&
      h(
        'li',
        { key: 'desired', class: 'state' },
        h(
          'svg',
          { width: 18, height: 18, 'aria-hidden': 'true' },
          h('path', { class: 'boundary', d: 'M9 1v16' }),
        ),
        ` desired size ${desired}`,
        going !== undefined && h('span', { class: 'which' }, ` goes: ${going}`),
      ),
  )
}

function words({ words: text, count, spelt }: StateOfRanks) {
  return [h('b', {}, count), ` ${text}`, h('span', { class: 'which' }, ` ${spelt}`)]
}

function sample({ state }: StateOfRanks) {
  const { name, sign } = LOOKS.get(state) ?? UNKNOWN_LOOK
  return h(
    'svg',
    { width: 18, height: 18, viewBox: '-1 -1 18 18', 'aria-hidden': 'true' },
    h(
      'g',
      { class: `rank ${name}` },
      name !== 'absent' && h('path', { class: 'cell', d: square(1, 1, 14) }),
      sign !== undefined && h('path', { class: 'sign', d: sign(1, 1, 14) }),
    ),
  )
}
